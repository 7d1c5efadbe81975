package server

import "time"

// SetWriteTimeout is called before Run.
func (s *Server) SetWriteTimeout(limit time.Duration) { s.writeTimeout = limit }
