package main

import "regexp"

var registrationForm = regexp.MustCompile(`^T[0-9]{13}$`)

// registrationNumber checks merchant.registration_number, the number in the
// qualified invoice system: T and the thirteen digits of a corporate number.
// Only corporations can take this payment method (payment page, first section),
// so the number always has a corporate number's check digit.
func registrationNumber(value string) *configError {
	const key = "merchant.registration_number"
	switch {
	case value == "":
		return nil
	case !registrationForm.MatchString(value):
		return &configError{Key: key, Code: configNotOneOf, Detail: value, Wanted: "T7123456789012"}
	case int(value[1]-'0') != corporateCheckDigit(value[2:]):
		return &configError{Key: key, Code: configBadCheckDigit, Detail: value}
	}
	return nil
}

// corporateCheckDigit works out the first digit of a corporate number from the
// twelve behind it: counted from the right, those in even places count twice, and
// the sum's rest by nine is taken from nine (法人番号の指定等に関する省令, 第2条).
func corporateCheckDigit(base string) int {
	sum := 0
	for i, digit := range []byte(base) {
		weight := 1
		if (len(base)-i)%2 == 0 {
			weight = 2
		}
		sum += weight * int(digit-'0')
	}
	return 9 - sum%9
}
