package csvfile

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"konbill/invoice"
)

// required are the fields without which there is nothing to charge.
var required = []invoice.Field{
	invoice.FieldNumber, invoice.FieldName, invoice.FieldEmail, invoice.FieldPhone, invoice.FieldAmount,
}

// aliases are the headers people write for each field, beside its own name.
var aliases = map[invoice.Field][]string{
	invoice.FieldNumber: {"請求書番号", "請求番号", "伝票番号", "管理番号", "注文番号",
		"invoice", "invoice_number", "order_no", "no"},
	invoice.FieldName: {"氏名", "名前", "お名前", "顧客名", "宛名", "請求先", "請求先名", "会社名",
		"buyer", "customer", "customer_name"},
	invoice.FieldEmail: {"メール", "メールアドレス", "Eメール", "e-mail", "mail", "email_address"},
	invoice.FieldPhone: {"電話", "電話番号", "TEL", "携帯番号", "携帯電話", "phone_number", "mobile"},
	invoice.FieldAmount: {"金額", "請求金額", "ご請求額", "請求額", "税込金額", "合計", "合計金額",
		"total", "price"},
	invoice.FieldDue:         {"支払期限", "お支払期限", "支払期日", "期限", "expires_at", "due_date", "deadline"},
	invoice.FieldDescription: {"件名", "摘要", "品目", "但し書き", "内容", "subject", "item", "memo"},
	invoice.FieldLanguage:    {"言語", "lang"},
	invoice.FieldTaxRate:     {"税率"},
	invoice.FieldTax:         {"消費税", "消費税額", "内消費税"},

	invoice.FieldCorrections: nil,
}

// comparable is a header without what people write differently: widths, case,
// spaces and invisible characters. Half-width kana are composed with their
// marks, for which a normal form will do: it is compared and never shown.
func comparable(header string) string {
	header = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector) {
			return -1
		}
		return r
	}, header)
	return strings.ToLower(norm.NFC.String(width.Fold.String(header)))
}

// fieldsByHeader turns the aliases around. Those that the configuration adds
// win over ours.
func fieldsByHeader(added map[invoice.Field][]string) map[string]invoice.Field {
	fields := map[string]invoice.Field{}
	for field, names := range aliases {
		fields[comparable(string(field))] = field
		for _, name := range names {
			fields[comparable(name)] = field
		}
	}
	for field, names := range added {
		for _, name := range names {
			fields[comparable(name)] = field
		}
	}
	return fields
}

// header is the first record of a file.
type header struct {
	names   []string        // as written, without trailing columns that are empty throughout
	fields  []invoice.Field // one a column; "" for one that means nothing to us
	width   int             // columns of the records, with trailing empty ones
	results []bool          // columns that an earlier run added
}

// readHeader gives every column its meaning. The fault names the columns. Two
// columns of the same name refuse the file even when we know neither: whoever
// reads the results by header would take one for the other.
func readHeader(names []string, known map[string]invoice.Field) (header, *FileError) {
	h := header{names: names, width: len(names), results: resultColumns(names)}
	h.fields = make([]invoice.Field, len(names))
	if !slices.ContainsFunc(names, func(name string) bool { return known[comparable(name)] != "" }) {
		// These are no headers but a customer's data: nobody wants them in a message.
		return h, &FileError{Code: CodeHeaderAbsent}
	}
	at := map[string]int{}
	for i, name := range names {
		if h.results[i] {
			continue
		}
		plain := comparable(name)
		field, isKnown := known[plain]
		identity := plain
		if isKnown {
			h.fields[i] = field
			identity = "field " + string(field)
		}
		if first, met := at[identity]; met && plain != "" {
			return h, &FileError{Code: CodeHeaderDuplicate, Columns: []Place{{first + 1, names[first]}, {i + 1, name}}}
		}
		at[identity] = i
	}
	var absent []string
	for _, field := range required {
		if !slices.Contains(h.fields, field) {
			absent = append(absent, string(field))
		}
	}
	if len(absent) > 0 {
		return h, &FileError{Code: CodeHeaderMissing, Missing: absent, Found: names}
	}
	return h, nil
}

// endsUnnamed reports a last column without a header.
func (h *header) endsUnnamed() bool { return comparable(h.names[len(h.names)-1]) == "" }

// emptyColumns cuts off trailing columns without a header, as spreadsheets
// leave them, if every record is empty there. Any other column needs a name.
func (h *header) emptyColumns(emptyFrom int) *FileError {
	named := len(h.names)
	for named > emptyFrom && comparable(h.names[named-1]) == "" {
		named--
	}
	for i, name := range h.names[:named] {
		if comparable(name) == "" {
			return &FileError{Code: CodeHeaderEmpty, Columns: []Place{{i + 1, ""}}}
		}
	}
	h.names, h.fields, h.results = h.names[:named], h.fields[:named], h.results[:named]
	return nil
}

// score counts the required columns among names, to tell delimiters apart.
func score(names []string, known map[string]invoice.Field) int {
	n := 0
	for _, name := range names {
		if field, ok := known[comparable(name)]; ok && slices.Contains(required, field) {
			n++
		}
	}
	return n
}
