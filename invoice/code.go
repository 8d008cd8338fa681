package invoice

// The codes of findings. Each has a message in both languages in message.go.
const (
	// Any text.
	CodeTextDamaged Code = "text_damaged" // U+FFFD stands where a character was lost
	CodeTextCleaned Code = "text_cleaned" // invisible characters were dropped

	// invoice_no
	CodeNumberMissing     Code = "invoice_no_missing"
	CodeNumberTooLong     Code = "invoice_no_too_long"
	CodeNumberUnprintable Code = "invoice_no_unprintable" // a character that can't be shown
	CodeNumberRepeated    Code = "invoice_no_repeated"    // the same row stands above, on line Ref
	CodeNumberConflicting Code = "invoice_no_conflicting" // another row has the number, on line Ref, with other content

	// name
	CodeNameMissing      Code = "name_missing"
	CodeNameUnusable     Code = "name_unusable"           // nothing is left of it that the API takes
	CodeNameTooLong      Code = "name_too_long"           // longer than 10 characters, and not to be cut
	CodeNameShortened    Code = "name_shortened"          // cut to 10 characters
	CodeNameNormalised   Code = "name_normalised"         // widths, marks, legal forms
	CodeNameDropped      Code = "name_characters_dropped" // letters the API doesn't take; Ref lists them
	CodeHonorificRemoved Code = "honorific_removed"       // 様 and the like, which the slip adds by itself

	// phone
	CodePhoneMissing      Code = "phone_missing"
	CodePhoneInvalid      Code = "phone_invalid"
	CodePhoneScientific   Code = "phone_scientific"    // 9.01235E+09: a spreadsheet has lost the digits
	CodePhoneZeroRestored Code = "phone_zero_restored" // a spreadsheet has lost the leading zero
	CodePhoneImplausible  Code = "phone_implausible"   // Japan's numbering plan has no such number
	CodePhoneNormalised   Code = "phone_normalised"    // +81 and the like

	// email
	CodeEmailMissing    Code = "email_missing"
	CodeEmailInvalid    Code = "email_invalid"
	CodeEmailLength     Code = "email_length" // not 6–50 characters
	CodeEmailSeveral    Code = "email_several"
	CodeEmailNormalised Code = "email_normalised"
	CodeEmailPlus       Code = "email_may_be_refused"
	CodeEmailTypo       Code = "email_probable_typo"

	// amount
	CodeAmountMissing    Code = "amount_missing"
	CodeAmountUnreadable Code = "amount_unreadable"
	CodeAmountFraction   Code = "amount_not_whole_yen"
	CodeAmountNegative   Code = "amount_negative"
	CodeAmountTooSmall   Code = "amount_too_small"
	CodeAmountTooLarge   Code = "amount_too_large"

	// due
	CodeDueUnreadable Code = "due_unreadable"
	CodeDueInvalid    Code = "due_invalid"   // no such day in the calendar
	CodeDueAmbiguous  Code = "due_ambiguous" // 01/02/2026
	CodeDueSerial     Code = "due_serial"    // a spreadsheet's day number
	CodeDuePast       Code = "due_past"
	CodeDueTooFar     Code = "due_too_far" // Ref is the last day allowed

	// the rest
	CodeDescriptionShortened Code = "description_shortened"
	CodeLanguageUnknown      Code = "language_unknown"
	CodeTaxRateInvalid       Code = "tax_rate_invalid"
	CodeTaxInvalid           Code = "tax_invalid"
	CodeTaxMismatch          Code = "tax_mismatch"

	// The row as a whole; made while reading the file.
	CodeFieldCount    Code = "row_field_count" // Ref: fields found / fields expected
	CodeStrayQuote    Code = "row_stray_quote"
	CodeFieldTooLong  Code = "field_too_long"
	CodeCP932Replaced Code = "cp932_replaced" // a character of the results has no place in CP932

	// Put right by a person who reviewed the file; Ref is their name.
	CodeCorrected Code = "corrected"

	// Found after checking: by drawing the slip, or in the ledger.
	CodeGlyphMissing Code = "glyph_missing" // a character no embedded font has; Ref lists them
	CodeConflict     Code = "conflict"      // the number (Ref) was issued with other content (After)
	CodeEmailDiffers Code = "email_differs" // the invoice was issued to another address (After)
)
