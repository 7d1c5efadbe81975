package framejson

import "unicode/utf8"

const hex = "0123456789abcdef"

// plain tells of each ASCII byte whether it stands for itself in a cell's
// string: not controls, quotes, and what HTML would read.
var plain = func() (p [utf8.RuneSelf]bool) {
	for c := range p {
		p[c] = c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return p
}()

// appendString appends the value of a cell: escaped for HTML too, invalid UTF-8
// replaced.
func appendString(b []byte, s []byte) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if !plain[c] {
				b = appendControl(append(b, s[from:i]...), c)
				from = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[from:i]...), `\ufffd`...)
			from = i + size
		case r == '\u2028' || r == '\u2029':
			b = append(append(b, s[from:i]...), `\u202`...)
			b = append(b, hex[r&0xf])
			from = i + size
		}
		i += size
	}
	return append(append(b, s[from:]...), '"')
}

// appendName appends a name or label, which the official output escapes less
// than cells: only controls and quotes. Invalid UTF-8 becomes U+FFFD.
func appendName(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		if r < ' ' || r == '"' || r == '\\' {
			b = appendControl(b, byte(r))
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// appendControl appends an ASCII byte that must be escaped.
func appendControl(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
