package schedule

import (
	"fmt"
	"strings"

	"konbill/invoice"
)

// Reason is what is wrong with a setting of the schedule. It is stable.
type Reason string

// What can be wrong with a setting.
const (
	ReasonEmpty        Reason = "empty"
	ReasonNotASCII     Reason = "not_ascii"     // full-width digits and the like
	ReasonZoneInCron   Reason = "zone_in_cron"  // a TZ= or CRON_TZ= prefix
	ReasonFieldCount   Reason = "field_count"   // not five
	ReasonField        Reason = "field"         // Part is not readable or out of bounds
	ReasonWeekdaySeven Reason = "weekday_seven" // Sunday is 0
	ReasonLastDay      Reason = "last_day"      // L, W and #
	ReasonDescriptor   Reason = "descriptor"    // an unknown @word
	ReasonInterval     Reason = "interval"      // not a duration of whole seconds, or below one
	ReasonNever        Reason = "never"         // as 30 February
	ReasonZoneMissing  Reason = "zone_missing"  // empty or "Local"
	ReasonZoneUnknown  Reason = "zone_unknown"
	ReasonHolidays     Reason = "holidays" // neither run nor skip
)

// The settings of a schedule, as SpecError names them.
const (
	FieldCron     = "cron"
	FieldTimezone = "timezone"
	FieldHolidays = "holidays"
)

// SpecError says that a setting of the schedule can't be used.
type SpecError struct {
	Field  string // FieldCron, FieldTimezone or FieldHolidays
	Value  string // as written
	Reason Reason
	Part   Part // the field of a cron spec that is at fault; empty if none by itself
}

// Error implements error, in English.
func (e *SpecError) Error() string { return e.Message(invoice.English) }

// Message says, in whole sentences that begin with the setting's name, what is
// wrong and what would be right.
func (e *SpecError) Message(lang invoice.Language) string {
	w := wording[e.Reason]
	form := "schedule.%[1]s の「%[2]s」は指定できません。" + w.ja
	if lang == invoice.English {
		form = "schedule.%[1]s can't be %[2]q: " + w.en
	}
	if strings.TrimSpace(e.Value) == "" {
		form = strings.Replace(form, " の「%[2]s」は指定できません", " が空です", 1)
		form = strings.Replace(form, "can't be %[2]q", "is empty", 1)
	}
	var p part
	for _, known := range parts {
		if known.name == e.Part {
			p = known
		}
	}
	return fmt.Sprintf(form, e.Field, e.Value, p.name, p.ja, p.min, p.max, len(strings.Fields(e.Value)))
}

// wording says for each reason what is wrong and what would be right. Its
// numbers stand for: 3, 4 the cron field in English and Japanese; 5, 6 its
// bounds; 7 how many fields there are.
var wording = map[Reason]struct{ ja, en string }{
	ReasonEmpty: {
		ja: "実行する時刻を「分 時 日 月 曜日」の順に、例えば 0 2 * * *（毎日 2:00）のように指定してください。",
		en: "write minute, hour, day of month, month and weekday, such as 0 2 * * * for 2:00 every day.",
	},
	ReasonNotASCII: {
		ja: "全角文字などが含まれています。数字、記号、空白をすべて半角で、例えば 0 2 * * * のように入力してください。",
		en: "it has characters beyond ASCII, such as full-width digits. Type it in half-width characters, such as 0 2 * * *.",
	},
	ReasonZoneInCron: {
		ja: "タイムゾーンは cron の中には書けません。TZ= または CRON_TZ= を取り除き、schedule.timezone に指定してください。",
		en: "the time zone is a setting of its own. Remove TZ= or CRON_TZ=, and set schedule.timezone.",
	},
	ReasonFieldCount: {
		ja: "項目が%[7]d個あります。「分 時 日 月 曜日」の5項目を、例えば 0 2 * * *（毎日 2:00）のように、半角スペースで区切って指定してください。秒の項目はありません。",
		en: "it takes five fields, and has %[7]d. Write minute, hour, day of month, month and weekday, such as 0 2 * * * for 2:00 every day. There is no field for seconds.",
	},
	ReasonField: {
		ja: "%[4]sの項目が正しくありません。%[5]d～%[6]d の数字か *（すべて）で指定してください。複数（1,3）、範囲（1-5 のように小さい方から）、間隔（*/2）の形も使えます。90分ごとのような間隔は @every 90m と指定できます。",
		en: "the %[3]s is wrong. It can be %[5]d to %[6]d, * for all, a list (1,3), a range upwards (1-5) or a step (*/2). An interval such as 90 minutes is written @every 90m.",
	},
	ReasonWeekdaySeven: {
		ja: "曜日の 7 は使えません。日曜日は 0 または SUN、月曜日から土曜日は 1～6 または MON～SAT で指定してください。",
		en: "there is no weekday 7. Sunday is 0 or SUN; Monday to Saturday are 1 to 6 or MON to SAT.",
	},
	ReasonLastDay: {
		ja: "L、W、#（月末、最寄りの平日、第何曜日）は使えません。日は 1～31、曜日は 0～6 または SUN～SAT で指定してください。月末の翌日でよければ、日に 1 を指定してください。",
		en: "L, W and # (the last day, the nearest weekday, the nth weekday) are not available. Days are 1 to 31, weekdays 0 to 6 or SUN to SAT. If the day after the month's end will do, write 1 as the day.",
	},
	ReasonDescriptor: {
		ja: "@ で始まる指定は @hourly、@daily、@weekly、@monthly、@yearly（小文字）と、@every 90s のような間隔です。",
		en: "after @ there is hourly, daily, weekly, monthly or yearly, in lower case, or an interval such as @every 90s.",
	},
	ReasonInterval: {
		ja: "@every の後には、1秒以上の間隔を秒単位で、90s、15m、1h30m、24h のように指定してください。",
		en: "after @every comes an interval of whole seconds, at least one, such as 90s, 15m, 1h30m or 24h.",
	},
	ReasonNever: {
		ja: "この日付は存在しないため、一度も実行されません。その月にある日を指定してください。",
		en: "it never comes, since no such day exists. Choose a day that the month has.",
	},
	ReasonZoneMissing: {
		ja: "どのコンピューターでも同じ時刻に実行されるよう、Asia/Tokyo のようなタイムゾーン名を指定してください。",
		en: "name the time zone, such as Asia/Tokyo, so that every machine reads the schedule alike.",
	},
	ReasonZoneUnknown: {
		ja: "このようなタイムゾーンはありません。日本時間は Asia/Tokyo です（大文字と小文字は区別されます）。",
		en: "there is no such time zone. Japan's is Asia/Tokyo; upper and lower case matter.",
	},
	ReasonHolidays: {
		ja: "run（土日祝日にも実行する）または skip（翌営業日に実行する）を指定してください。",
		en: "write run (also on weekends and public holidays) or skip (move to the next business day).",
	},
}
