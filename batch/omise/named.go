package omise

import (
	"bytes"
	"encoding/json"

	"konbill/batch"
)

// The prefixes of ids.
const (
	chargeID = "chrg_"
	sourceID = "src_"
)

// namedCharge is the id of the charge that an answer of status 2xx is about,
// when its beginning leaves no doubt about that, however it goes on. It is empty
// otherwise.
func (a answer) namedCharge() string {
	if !a.succeeded() {
		return ""
	}
	var object, id string
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return ""
	}
	for object == "" || id == "" {
		name, err := decoder.Token()
		if err != nil || name == json.Delim('}') {
			return ""
		}
		var value any
		if decoder.Decode(&value) != nil {
			return ""
		}
		switch text, _ := value.(string); name {
		case "object":
			object = text
		case "id":
			id = text
		}
	}
	if object != "charge" || !batch.IsID(chargeID, id) {
		return ""
	}
	return id
}
