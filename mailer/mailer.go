// Package mailer composes one mail to one customer and delivers it.
package mailer
