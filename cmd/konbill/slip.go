package main

import (
	"errors"
	"io"
	"os"

	"konbill/templates"
	"konbill/templates/slip"
)

// merchant is who sends the slips.
func (c config) merchant() templates.Merchant {
	m := c.Merchant
	return templates.Merchant{
		Name: m.Name, Address: m.Address, Phone: m.Phone, Hours: m.Hours, Email: m.Email, RegistrationNumber: m.RegistrationNumber,
	}
}

// layout is how slips are to look. It reads the logo, so that one which can't be
// printed is found before anything is charged. The error is a *configError or the
// operating system's.
func (c config) layout() (slip.Layout, error) {
	layout := slip.Layout{AddressWindow: c.Slip.AddressWindow, PerPage: c.Slip.PerPage}
	if c.Merchant.Logo == "" {
		return layout, nil
	}
	file, err := os.Open(c.Merchant.Logo)
	if err != nil {
		return layout, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, slip.LogoBytes+1))
	if err != nil {
		return layout, err
	}
	layout.Logo, err = slip.ReadLogo(data)
	if wrong := new(slip.LogoError); errors.As(err, &wrong) {
		return layout, &configError{Key: "merchant.logo", Code: configBadLogo, Detail: c.Merchant.Logo, Logo: wrong.Fault}
	}
	return layout, err
}

// wholeSheet: the window of an envelope shows the top third of a folded sheet.
func wholeSheet(c slipConfig) *configError {
	if c.AddressWindow && c.PerPage != 1 {
		return &configError{Key: "slip.per_page", Code: configNeedsWholeSheet}
	}
	return nil
}
