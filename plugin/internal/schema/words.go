package schema

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// place is where in a JSON value we are; nil is the whole of it.
type place struct {
	in   *place
	name string
	// n counts in an array.
	n     int
	array bool
}

func (p *place) key(name string) *place { return &place{in: p, name: name} }
func (p *place) index(n int) *place     { return &place{in: p, n: n, array: true} }

var plainKey = regexp.MustCompile(`^[\pL_$][\pL\pN_$-]*$`)

// String writes a path: columns[2].type.
func (p *place) String() string {
	var steps []string
	for ; p != nil; p = p.in {
		switch {
		case p.array:
			steps = append(steps, "["+strconv.Itoa(p.n)+"]")
		case plainKey.MatchString(p.name):
			steps = append(steps, "."+p.name)
		default:
			steps = append(steps, "["+strconv.Quote(p.name)+"]")
		}
	}
	slices.Reverse(steps)
	return short([]byte(strings.TrimPrefix(strings.Join(steps, ""), ".")))
}

// short cuts what may be long. It is for a line of text.
func short(raw []byte) string {
	const most = 200
	text := string(raw)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "�")
	}
	return text
}

// word says what a JSON value is, as encoding/json does.
func word(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// wants says what JSON a node takes, to the person who wrote another.
func (n *node) wants() string {
	switch n.kind {
	case kindArray:
		return "an array"
	case kindMap, kindStruct:
		return "an object"
	}
	return kindName(n.typ)
}

// kindName says what JSON a Go type takes.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	if isInteger(t.Kind()) {
		return "a whole number (" + t.Kind().String() + ")"
	}
	return t.String()
}

// nearest returns the one of some keys that key may be a mistyped form of,
// empty if there is none.
func nearest(key string, among []string) string {
	best, distance := "", 1+min(2, utf8.RuneCountInString(key)/3)
	for _, other := range among {
		if d := edits(strings.ToLower(key), strings.ToLower(other), distance); d < distance {
			best, distance = other, d
		}
	}
	return best
}

// edits counts the characters to insert, remove, replace or swap between two
// words, up to most.
func edits(a, b string, most int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d >= most || -d >= most {
		return most
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			replace := rows[i-1][j-1]
			if x[i-1] != y[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
