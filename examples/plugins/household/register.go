package main

import (
	"github.com/siyiban/onething/examples/plugins/civil"
	plugin "github.com/siyiban/onething/sdk/go"
)

// A birth is registered within one month, a death in the country likewise: 户口登记条例 art. 7 and 8.
const registrationMonths = 1

// registerBy is the last day for registering a birth or, in the country, a death, counted by articles 201 and 202 of
// the Civil Code. That a last day on a holiday moves to the next working day (article 203) needs a calendar, which a
// plugin does not have; being late is a note for the officer, never a refusal.
func registerBy(event plugin.Date) plugin.Date { return civil.AddMonths(event, registrationMonths) }

// isCertificateNumber is true for the form of a birth certificate's number: one capital letter and nine digits.
func isCertificateNumber(number string) bool {
	if len(number) != 10 || number[0] < 'A' || number[0] > 'Z' {
		return false
	}
	for i := 1; i < len(number); i++ {
		if number[i] < '0' || number[i] > '9' {
			return false
		}
	}
	return true
}
