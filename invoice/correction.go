package invoice

import (
	"encoding/json"
	"slices"
)

// Correction is a value of a row that a person put right before the row was issued. A file
// keeps them in a column of its own, so that what was run says by itself what was changed,
// and by whom.
type Correction struct {
	Field Field  `json:"field"`
	Was   string `json:"was"` // the value as the file had it
	By    string `json:"by"`  // the latest who changed it
}

// Correctable are the fields that can be put right in a review. The number isn't: another
// number is another invoice.
var Correctable = []Field{FieldName, FieldPhone, FieldEmail, FieldAmount, FieldDue}

// CorrectionsOf reads a cell of the column. A cell that says something else has none.
func CorrectionsOf(cell string) []Correction {
	if cell == "" {
		return nil
	}
	var all []Correction
	if err := json.Unmarshal([]byte(cell), &all); err != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(c Correction) bool { return !slices.Contains(Correctable, c.Field) })
}

// Corrected adds to a row's corrections that a field has another value now. What was
// changed back wasn't changed.
func Corrected(before []Correction, field Field, from, to, by string) []Correction {
	was := from
	after := slices.Clone(before)
	if i := slices.IndexFunc(after, func(c Correction) bool { return c.Field == field }); i >= 0 {
		was = after[i].Was
		after = slices.Delete(after, i, i+1)
	}
	if was == to {
		return after
	}
	return append(after, Correction{Field: field, Was: was, By: by})
}

// WriteCorrections is the cell that [CorrectionsOf] reads.
func WriteCorrections(all []Correction) string {
	if len(all) == 0 {
		return ""
	}
	cell, err := json.Marshal(all)
	if err != nil {
		panic(err) // three texts
	}
	return string(cell)
}

// Of returns the value of a field that can be put right.
func (f Fields) Of(field Field) string {
	switch field {
	case FieldName:
		return f.Name
	case FieldPhone:
		return f.Phone
	case FieldEmail:
		return f.Email
	case FieldAmount:
		return f.Amount
	case FieldDue:
		return f.Due
	}
	return ""
}

// corrections notes what people have put right in the row.
func (r *row) corrections(f Fields) {
	for _, c := range CorrectionsOf(f.Corrections) {
		r.add(Finding{Field: c.Field, Code: CodeCorrected, Severity: Notice, Before: c.Was, After: f.Of(c.Field), Ref: c.By})
	}
}
