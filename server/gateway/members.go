package gateway

import (
	"encoding/json"
	"iter"
)

// The functions here walk JSON that json.Valid has approved, without copying
// it: query models go on to plugins byte for byte, and Go's decoder would also
// take keys that differ in case.

// members yields the members of a JSON object in order, none if text is not an
// object. Keys are unquoted, values are slices of text.
func members(text []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := first(text, '{'); at < len(text) && text[at] == '"'; {
			colon := skipValue(text, at)
			start := skipBlank(text, skipBlank(text, colon)+1)
			end := skipValue(text, start)
			if !yield(stringOf(text[at:colon]), text[start:end]) {
				return
			}
			at = next(text, end)
		}
	}
}

// elements yields the elements of a JSON array in order, none if text is not
// an array. They are slices of text.
func elements(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := first(text, '['); at < len(text) && text[at] != ']'; {
			end := skipValue(text, at)
			if !yield(text[at:end]) {
				return
			}
			at = next(text, end)
		}
	}
}

// stringOf returns the string that value is, "" if it is something else.
func stringOf(value []byte) string {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' && plain(value[1:n-1]) {
		return string(value[1 : n-1])
	}
	var s string
	_ = json.Unmarshal(value, &s)
	return s
}

// plain reports whether the inside of a string stands for itself.
func plain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// first returns where the first key or element may be, after the opening
// bracket; the end of text if that is another.
func first(text []byte, bracket byte) int {
	at := skipBlank(text, 0)
	if at == len(text) || text[at] != bracket {
		return len(text)
	}
	return skipBlank(text, at+1)
}

// next returns where the key or element after the one that ended before at is:
// after the comma, or at the end of text.
func next(text []byte, at int) int {
	at = skipBlank(text, at)
	if at == len(text) || text[at] != ',' {
		return len(text)
	}
	return skipBlank(text, at+1)
}

func skipBlank(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
		at++
	}
	return min(at, len(text))
}

// skipValue returns where the value that begins at at has ended.
func skipValue(text []byte, at int) int {
	if at >= len(text) {
		return len(text)
	}
	switch text[at] {
	case '"':
		return skipString(text, at)
	case '{', '[':
		return skipNested(text, at)
	}
	for ; at < len(text); at++ {
		switch text[at] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return at
		}
	}
	return at
}

func skipNested(text []byte, at int) int {
	depth := 0
	for at < len(text) {
		switch text[at] {
		case '"':
			at = skipString(text, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if at++; depth == 0 {
			return at
		}
	}
	return at
}

func skipString(text []byte, at int) int {
	for at++; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(text)
}
