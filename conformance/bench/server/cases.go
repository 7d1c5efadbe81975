package main

import "fmt"

// request is what one case asks of one host, over and over.
type request struct {
	path   string
	body   string
	accept string
	// like is a request whose answer must be equal, as JSON, on both hosts;
	// false where the formats differ.
	comparable bool
}

// benchCase is one row of the table.
type benchCase struct {
	name            string
	ours, reference request
	// floor is the least ratio of requests per second.
	floor float64
}

var cases = []benchCase{
	query("10x1", 1.1, 10, 1, false),
	query("1000x5 random", 2.5, 1000, 5, false),
	query("1000x5 two-decimal", 1.8, 1000, 5, true),
	query("100000x5 random", 2.5, 100_000, 5, false),
	query("100000x5 two-decimal", 5, 100_000, 5, true),
	as("100000x5 Arrow against JSON", 6, "application/vnd.apache.arrow.stream"),
	as("100000x5 CSV against JSON", 2, "text/csv"),
	echo("resource echo", 1),
}

func query(name string, floor float64, rows, cols int, round bool) benchCase {
	r := request{path: "/api/ds/query", body: queryBody(rows, cols, round), comparable: true}
	return benchCase{name: name, ours: r, reference: r, floor: floor}
}

// as is a large answer in another format, which a plugin that can sends in
// chunks.
func as(name string, floor float64, accept string) benchCase {
	c := query(name, floor, 100_000, 5, false)
	c.ours.accept, c.ours.comparable = accept, false
	return c
}

func echo(name string, floor float64) benchCase {
	r := request{path: "/api/datasources/uid/bench/resources/echo?a=1", body: `{"hello":"plugin"}`, comparable: true}
	return benchCase{name: name, ours: r, reference: r, floor: floor}
}

func queryBody(rows, cols int, round bool) string {
	return fmt.Sprintf(`{"from":"1700000000000","to":"1700003600000","queries":[{"refId":"A",`+
		`"datasource":{"type":"bench-datasource","uid":"bench"},"intervalMs":1000,"maxDataPoints":1000,`+
		`"rows":%d,"cols":%d,"round":%t}]}`, rows, cols, round)
}
