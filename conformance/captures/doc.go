// Package captures holds exchanges that were captured between a client and a
// running Grafana; its test replays them against our server, with the same two
// plugins, and compares the answers.
//
// What differs on purpose is in differences_test.go, each with its reason.
package captures
