// Package view is what is read of applications: whose they are, what waits for a clerk or for a department, and what a
// number belongs to. It is projected from the log into a store of its own and can be made again at any time.
//
// A view re-derives nothing. For a commit that touches an application it folds that stream with application.Evolve,
// projects the state to the lists in which the application now stands, and replaces the ones in which it stood before,
// in one transaction with its place in the log. Its fold is total, so it never parks.
//
// A view holds ids, states' dates and keyed digests of persons, and no value of a person. For the digests it opens the
// sealed part of a submission and of a correction; where the key is gone it goes on without, so a forgotten application
// is in nobody's list after a rebuild.
//
// Keys of the store:
//
//	z                                     → format, epoch and position of the last commit that was folded
//	a <application>                       → version, positions, digests, and the keys of its entries
//	l <list> <order> 0 <application> 0 <item> → nothing; an entry, where list has its length in front
package view
