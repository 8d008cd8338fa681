package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"konbill/batch/ledger"
	"konbill/invoice"
)

// configLayer is one source of settings.
type configLayer struct {
	from   string         // for messages
	base   string         // what relative paths are relative to
	values map[string]any // by key, such as smtp.host
}

// known are the keys that can be set, with a value of each one's type.
var known = sync.OnceValue(func() map[string]any { return flatten(defaultConfig()) })

// paths are the keys whose values are files or folders.
var paths = []string{"merchant.logo", "omise.secret_key_file", "omise.public_key_file", "smtp.password_file", "smtp.folder", "smtp.smime_cert_file", "smtp.smime_key_file", "smtp.dkim_key_file", "inbox.folder", "follow.webhook_secret_file", "templates.folder", "web.tls_cert_file", "web.tls_key_file"}

// settled checks a layer's keys and brings its values to their types. The error
// is a *configError.
func (l configLayer) settled() (map[string]any, error) {
	values := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(l.values)) {
		value, err := l.value(key, l.values[key])
		if err != nil {
			err.From, err.Key = l.from, key
			return nil, err
		}
		values[key] = value
	}
	return values, nil
}

func (l configLayer) value(key string, given any) (any, *configError) {
	if field, isColumn := strings.CutPrefix(key, "columns."); isColumn {
		return headers(field, given)
	}
	like, ok := known()[key]
	if !ok {
		return nil, &configError{Code: configUnknownKey, Detail: nearest(key)}
	}
	value, wanted := convert(given, like)
	if wanted != "" {
		return nil, &configError{Code: configWrongType, Detail: fmt.Sprint(given), Wanted: wanted}
	}
	switch text, _ := value.(string); {
	case key == "ledger.url":
		return l.ledgerURL(text), nil
	case slices.Contains(paths, key) && text != "":
		return l.path(text), nil
	}
	return value, nil
}

func (l configLayer) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.base, path)
}

func (l configLayer) ledgerURL(url string) string {
	path, err := ledger.Path(url)
	if err != nil {
		return url // validate says what is wrong with it
	}
	return "sqlite:" + l.path(path)
}

// convert brings a value to the type of another. Where it can't be, wanted
// names the type.
func convert(given, like any) (value any, wanted string) {
	text, isText := given.(string)
	switch like.(type) {
	case string:
		if isText {
			return text, ""
		}
		return nil, typeText
	case time.Duration:
		if d, ok := given.(time.Duration); ok {
			return d, ""
		}
		if d, err := time.ParseDuration(text); err == nil {
			return d, ""
		}
		return nil, typeDuration
	case bool:
		if b, err := strconv.ParseBool(fmt.Sprint(given)); err == nil {
			return b, ""
		}
		return nil, typeTruth
	case float64:
		if f, err := strconv.ParseFloat(fmt.Sprint(given), 64); err == nil {
			return f, ""
		}
		return nil, typeNumber
	}
	if n, err := strconv.ParseInt(fmt.Sprint(given), 10, 64); err == nil {
		return n, ""
	}
	return nil, typeInteger
}

// fields are those that [columns] can add headers for.
var fields = []invoice.Field{
	invoice.FieldNumber, invoice.FieldName, invoice.FieldEmail, invoice.FieldPhone, invoice.FieldAmount, invoice.FieldDue,
	invoice.FieldDescription, invoice.FieldLanguage, invoice.FieldTaxRate, invoice.FieldTax,
}

// headers reads the headers of one field: one, or several in a list.
func headers(field string, given any) (any, *configError) {
	if !slices.Contains(fields, invoice.Field(field)) {
		return nil, &configError{Code: configUnknownColumn, Detail: field}
	}
	switch value := given.(type) {
	case string:
		return []string{value}, nil
	case []any:
		var names []string
		for _, one := range value {
			name, ok := one.(string)
			if !ok {
				return nil, &configError{Code: configWrongType, Detail: fmt.Sprint(given), Wanted: typeTexts}
			}
			names = append(names, name)
		}
		return names, nil
	}
	return nil, &configError{Code: configWrongType, Detail: fmt.Sprint(given), Wanted: typeTexts}
}

// nearest finds the key that was probably meant: one with the same letters but
// few. It is empty when none is near.
func nearest(key string) string {
	best, least := "", 4
	for _, candidate := range slices.Sorted(maps.Keys(known())) {
		if d := distance(key, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

const environmentPrefix = "KONBILL_"

// otherVariables are those of ours that set no key.
var otherVariables = []string{"KONBILL_CONFIG", smtpPasswordVariable, webhookSecretVariable}

// environment are the settings that variables make: KONBILL_SMTP__HOST is
// smtp.host. A variable of ours that sets nothing is an error like any unknown
// key: it was meant to.
func environment(env []string, base string) configLayer {
	l := configLayer{from: "environment", base: base, values: map[string]any{}}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		key, ours := strings.CutPrefix(name, environmentPrefix)
		if !ours || slices.Contains(otherVariables, name) {
			continue
		}
		l.values[strings.ToLower(strings.ReplaceAll(key, "__", "."))] = value
	}
	return l
}
