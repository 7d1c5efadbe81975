package jsonscan

// Skip reads a value and forgets it.
func (s *Scanner) Skip() error {
	kind, err := s.Kind()
	if err != nil {
		return unexpectedEOF(err)
	}
	switch kind {
	case Object:
		return s.list('{', '}', s.skipMember)
	case Array:
		return s.list('[', ']', s.Skip)
	case String:
		_, err := s.skipString()
		return err
	case Number:
		return s.skipNumber()
	}
	for _, word := range []string{"null", "true", "false"} {
		if word[0] == s.buf[s.pos] {
			return s.skipWord(word)
		}
	}
	return s.fail("no value")
}

func (s *Scanner) skipMember() error {
	if c, err := s.peek(); err != nil {
		return unexpectedEOF(err)
	} else if c != '"' {
		return s.unexpected(c)
	}
	if _, err := s.skipString(); err != nil {
		return err
	}
	if err := s.Delim(':'); err != nil {
		return err
	}
	return s.Skip()
}

func (s *Scanner) skipWord(word string) error {
	for i := range len(word) {
		c, err := s.byte()
		if err != nil {
			return err
		}
		if c != word[i] {
			s.pos--
			return s.unexpected(c)
		}
	}
	return nil
}

// skipString reads a string, and tells whether it is ASCII without escapes.
func (s *Scanner) skipString() (simple bool, err error) {
	simple = true
	s.pos++
	for {
		for s.pos < s.end {
			c := s.buf[s.pos]
			s.pos++
			switch {
			case c == '"':
				return simple, nil
			case c == '\\':
				simple = false
				if err := s.skipEscape(); err != nil {
					return false, err
				}
			case c < ' ':
				s.pos--
				return false, s.fail("control character in a string")
			case c >= 0x80:
				simple = false
			}
		}
		if err := s.fill(); err != nil {
			return false, unexpectedEOF(err)
		}
	}
}

func (s *Scanner) skipEscape() error {
	c, err := s.byte()
	if err != nil {
		return err
	}
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			c, err := s.byte()
			if err != nil {
				return err
			}
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return s.fail("bad escape in a string")
			}
		}
		return nil
	}
	return s.fail("bad escape in a string")
}

// skipNumber reads -? int frac? exp?.
func (s *Scanner) skipNumber() error {
	s.optional('-')
	if !s.optional('0') {
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.optional('.') {
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.optional('e') || s.optional('E') {
		if !s.optional('-') {
			s.optional('+')
		}
		return s.digits()
	}
	return nil
}

// optional reads c, if it is next.
func (s *Scanner) optional(c byte) bool {
	if s.pos == s.end && s.fill() != nil { // the number, or the text, is at its end
		return false
	}
	if s.buf[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// digits reads one or more.
func (s *Scanner) digits() error {
	c, err := s.byte()
	if err != nil {
		return err
	}
	if !isDigit(c) {
		s.pos--
		return s.unexpected(c)
	}
	for s.pos < s.end || s.fill() == nil {
		if !isDigit(s.buf[s.pos]) {
			return nil
		}
		s.pos++
	}
	return nil
}

// byte reads the next byte, white space or not.
func (s *Scanner) byte() (byte, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, unexpectedEOF(err)
		}
	}
	s.pos++
	return s.buf[s.pos-1], nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
