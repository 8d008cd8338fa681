package batch

import (
	"errors"
	"time"
)

// Person is somebody who may use the page.
type Person struct {
	Name      string
	Role      Role
	Password  string // as it is stored, never the password itself
	CreatedAt time.Time
	RemovedAt time.Time // zero: may sign in
}

// Role is what a person may do. Each may do what the one before may.
type Role string

const (
	Viewer   Role = "viewer"   // look things up
	Preparer Role = "preparer" // bring files
	Approver Role = "approver" // have them charged
)

// Roles are all of them, the least first.
var Roles = []Role{Viewer, Preparer, Approver}

// Session is a person's time at the page, from signing in on.
type Session struct {
	Token   string // SHA-256 of the secret that the browser has, hex
	Person  Person
	BeganAt time.Time
	SeenAt  time.Time // when a request last came
}

// Act is something that a person did, or was refused. Acts are never changed or
// deleted.
type Act struct {
	At     time.Time
	Person string // the name that was given; perhaps nobody's
	What   string // a word, such as "signed_in"
	About  string // an invoice number, or a name; no customer's data
}

// ErrPersonExists says that a person of that name may use the page already.
var ErrPersonExists = errors.New("a person of that name is there")
