package batch

import "strings"

// IsID says whether text has the form of an API's id: the prefix of its kind, as
// "chrg_", and 1 to 64 of a-z, 0-9 and "_". What looks otherwise is none: it goes into
// no ledger and no log.
func IsID(prefix, text string) bool {
	rest, ok := strings.CutPrefix(text, prefix)
	return ok && len(rest) >= 1 && len(rest) <= 64 &&
		strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyz_") == ""
}
