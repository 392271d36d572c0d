package application_test

import (
	"testing"
)

func TestDecide_Dates(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "days and months end on a working day, and the case's date is the end of the longest way", given: []act{on("03-25")}, when: apply("fair"),
			then: []string{
				"submitted, notice by 04-01; fair ELIGIBLE",
				"accepted fair BY_ENGINE as of 03-25, due 04-07, statutory 05-11",
				"opened fair.permit on 03-25 by 04-07; statutory 04-27",
				"opened fair.noise on 03-25 by 03-27; statutory 03-30",
			},
			check: func(p *play) {
				due := p.state.Case("fair").Due
				if due.GetFrom() != "" || !containsText(due.GetDerivation(), "许可：") || !containsText(due.GetDerivation(), "交通：") {
					p.Errorf("the derivation is %v", due.GetDerivation())
				}
			}},
		{name: "a date tells how it was counted, with what the notice of the year makes of it", given: []act{on("04-01"), apply("badge")}, when: accept("badge"),
			then: []string{
				"accepted badge BY_CLERK as of 04-01, due 04-14, statutory 06-08",
				"opened badge.print on 04-01 by 04-07; statutory 04-10; plugin police/print",
			},
			check: func(p *play) {
				due := p.state.Case("badge").Due
				if due.GetFrom() != "2026-04-01" || due.GetLimit() != 8 || due.GetUnit() != "working_days" || !containsText(due.GetDerivation(), "清明节") || !containsText(due.GetDerivation(), "到期日：2026年4月14日") {
					p.Errorf("the date is %v", due)
				}
			}},
		{name: "without the calendar of the year dates are not known, at the earliest, and the step opens", given: []act{noNewYear, apply("shop", tolerate("plan")), checked("shop", "audit")}, when: accept("shop"),
			then: []string{
				"accepted shop BY_CLERK as of 03-16, due ?03-23, statutory ?04-30; plan by ?03-18 SUSPEND; fee 6000",
				"opened shop.licence on 03-16 by ?03-21; statutory ?03-26; result waits plan",
				"opened shop.audit on 03-16 by ?03-20; plugin fire/audit; waits plan",
				"opened shop.account on 03-16 by ?03-17",
			}},
		{name: "once it is published, the next command settles them", given: []act{noNewYear, apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop"), published}, when: lapse,
			then: []string{
				"dates of shop; due 03-25; statutory 05-21; plan by 03-18",
				"dates of shop.licence; due 03-23; statutory 03-30",
				"dates of shop.account; due 03-17",
			}},
		{name: "and what has lapsed by them", given: []act{noNewYear, apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop"), published}, at: "03-19", when: lapse,
			then: []string{
				"dates of shop; due 03-25; statutory 05-21; plan by 03-18",
				"dates of shop.licence; due 03-23; statutory 03-30",
				"dates of shop.account; due 03-17",
				"lapsed shop.plan SUSPEND; until 03-23",
				"dates of shop.licence; due ?03-24; statutory 03-30",
			}},
		{name: "of a notice that is not answered", given: []act{noNewYear, apply("badge"), notify(item("badge", "own.badge.urgent")), published}, when: lapse,
			then: []string{"dates of badge; correction 03-30"}},
		{name: "of a correction that a department asked for", given: []act{noNewYear, apply("badge"), accept("badge"), ask("badge", "print", "own.badge.urgent"), published}, when: lapse,
			then: []string{
				"dates of badge; due 03-26; statutory 05-21",
				"dates of badge.print; correction 03-30",
			}},
		{name: "of a suspension", given: []act{apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop"), on("03-19"), noNewYear, lapse, published}, when: lapse,
			then: []string{
				"dates of shop; plan suspended until 03-23",
				"dates of shop.licence; statutory 03-30",
			}},
		{name: "of a promise to be verified, also where the case is over", given: []act{noNewYear, apply("shop", promise("own.shop.lease")), checked("shop", "audit"), accept("shop"), withdraw("shop"), published}, when: lapse,
			then: []string{"dates of shop; lease to verify by 04-14"},
			check: func(p *play) {
				if x := p.state.Case("shop").Promises[0]; x.Due.GetDate() != "2026-04-14" {
					p.Errorf("the promise is to be verified by %v", x.Due)
				}
			}},
		{name: "not of one that was verified", given: []act{noNewYear, apply("shop", promise("own.shop.lease")), checked("shop", "audit"), accept("shop"), withdraw("shop"), verify("shop", "lease", true), published}, when: lapse},
		{name: "of the longest way", given: []act{noNewYear, apply("fair"), published}, when: lapse,
			then: []string{
				"dates of fair; due 03-26; statutory 04-28",
				"dates of fair.permit; due 03-26; statutory 04-16",
				"dates of fair.noise; due 03-18; statutory 03-19",
			}},
		{name: "of a task in a special procedure, when it ends", given: []act{noNewYear, apply("badge"), accept("badge"), pause("badge", "print", "TESTING"), published, on("03-18"), lapse}, when: resume("badge", "print"),
			then: []string{
				"resumed badge.print after 03-18, due 03-23, statutory 03-26",
				"dates of badge; due 03-30; statutory 05-25",
			}},
		{name: "dates that are known stay as they are", given: []act{apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop")}, when: lapse},
		{name: "also when they are asked to be settled and nothing has changed", given: []act{apply("shop fair badge", tolerate("plan")), checked("shop", "audit"), accept("shop"), notify(item("badge", "own.badge.urgent"))}, when: settleDates},
		{name: "a corrected calendar moves the dates of open clocks, if it is asked to", given: []act{apply("shop fair badge", tolerate("plan")), checked("shop", "audit"), accept("shop"), notify(item("badge", "own.badge.urgent")), offWork("03-17", "03-20")}, when: settleDates,
			then: []string{
				"dates of shop; due 03-31; statutory 05-27; plan by 03-24",
				"dates of fair; statutory 05-07; plan by 04-01",
				"dates of badge; correction 04-03",
				"dates of fair.noise; statutory 03-25",
				"dates of shop.licence; due 03-27; statutory 04-03",
				"dates of shop.account; due 03-23",
			}},
		{name: "of a case in pre-review", given: []act{apply("badge"), offWork("03-17", "03-20")}, when: settleDates,
			then: []string{"dates of badge; notice 03-27"}},
		{name: "and of the longest way", given: []act{apply("fair", answer("own.fair.loud", false)), offWork("03-26", "03-27")}, when: settleDates,
			then: []string{
				"dates of fair; due 03-30; statutory 04-30",
				"dates of fair.permit; due 03-30",
			}},
		{name: "not else", given: []act{apply("shop"), checked("shop", "audit"), accept("shop"), offWork("03-17", "03-20")}, when: lapse},
		{name: "nor of what is over", given: []act{apply("shop fair"), checked("shop", "audit"), accept("shop"), approve("shop", "licence", "number", "A1"), withdraw(""), offWork("03-17", "03-20")}, when: settleDates},
		{name: "days that did not count stay left out", given: shopAccepted(on("03-17"), pause("shop", "licence", "HEARING"), on("03-18"), resume("shop", "licence"), offWork("03-19", "03-20")), when: settleDates,
			then: []string{
				"dates of shop; due 03-30; statutory 05-26",
				"dates of shop.licence; due 03-26; statutory 04-02",
				"dates of shop.audit; due 03-23",
			}},
	})
}

// Downtime changes no right: what is noticed late comes to the same as if somebody had looked every day.
func TestDecide_Downtime(t *testing.T) {
	t.Parallel()
	for _, given := range [][]act{
		{apply("shop", tolerate("plan", "own.shop.photo"), promise("own.shop.lease"))},
		{apply("shop badge", tolerate("plan")), checked("shop", "audit"), notify(item("badge", "own.badge.urgent"))},
		{apply("fair", answer("own.fair.big", false), answer("own.fair.shown", true))},
		{apply("fair badge", tolerate("plan")), accept("badge"), ask("badge", "print", "own.badge.urgent")},
		shopAccepted(ask("shop", "licence", "own.shop.remark"), claim("shop", "audit")),
		{apply("fair"), claim("fair", "noise")}, // silence ends the claim, if nobody has given it back before
	} {
		late, daily := newPlay(t), newPlay(t)
		for _, a := range given {
			a(late)
			a(daily)
		}
		if late.err != nil {
			t.Fatal(late.err)
		}
		var seen []string
		for range 70 {
			daily.world.Now = daily.world.Now.AddDate(0, 0, 1)
			lapse(daily)
			seen = append(seen, daily.says(daily.lastly)...)
		}
		late.world.Now = daily.world.Now
		lapse(late)
		if got := late.says(late.lastly); !sameLines(seen, got) {
			t.Errorf("noticed day by day:\n%v\nnoticed late:\n%v", seen, got)
		}
		late.state.Version, daily.state.Version = 0, 0
		if a, b := fingerprint(t, daily.state), fingerprint(t, late.state); a != b {
			t.Errorf("noticed day by day:\n%s\nnoticed late:\n%s", a, b)
		}
	}
}
