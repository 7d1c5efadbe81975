package frame

import (
	"maps"
	"slices"
	"strconv"
)

// Headings names the columns for formats that have one name for each: the
// field's name, with its labels in braces, temperature{city="Oslo"}, or column 3
// if it has none. No two are the same: the second of a name ends in " (2)".
func (f *Frame) Headings() []string {
	headings, seen := make([]string, len(f.Fields)), make(map[string]bool, len(f.Fields))
	for i, field := range f.Fields {
		name := field.heading(i)
		unique := name
		for n := 2; seen[unique]; n++ {
			unique = name + " (" + strconv.Itoa(n) + ")"
		}
		seen[unique] = true
		headings[i] = unique
	}
	return headings
}

func (f *Field) heading(at int) string {
	name := f.Name
	if name == "" {
		name = "column " + strconv.Itoa(at+1)
	}
	if len(f.Labels) == 0 {
		return name
	}
	b := append([]byte(name), '{')
	for i, key := range slices.Sorted(maps.Keys(f.Labels)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(append(append(b, key...), '='), f.Labels[key])
	}
	return string(append(b, '}'))
}
