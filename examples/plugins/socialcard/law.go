package main

import (
	"github.com/siyiban/onething/examples/plugins/civil"
	plugin "github.com/siyiban/onething/sdk/go"
)

// Ages of the Civil Code: of age at 18 (article 17); from 16 on whoever lives on own work counts as of age (article
// 18), which no form here says.
const (
	ageOfMajority = 18
	ageOfWork     = 16
)

// capacity says who acts for somebody.
type capacity int

const (
	actsAlone       capacity = iota
	needsGuardian            // a minor: father and mother are the guardians, article 27
	mayNeedGuardian          // 16 or 17: an officer asks whether the person lives on own work
)

func capacityOf(born, on plugin.Date) capacity {
	switch age := civil.Age(born, on); {
	case age >= ageOfMajority:
		return actsAlone
	case age >= ageOfWork:
		return mayNeedGuardian
	default:
		return needsGuardian
	}
}

// mostYears bounds the published validity, so that a slip of the pen makes no card for centuries.
const mostYears = 50

// validUntil is the last day of a card that is valid for so many years: the corresponding day, or the last of the month
// (articles 201 and 202 of the Civil Code). How many years, is the issuing place's rule.
func validUntil(issued plugin.Date, years int) plugin.Date { return civil.AddMonths(issued, 12*years) }
