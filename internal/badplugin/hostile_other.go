//go:build !linux

package badplugin

import "errors"

func connectMPTCP(Order) error { return errors.ErrUnsupported }
func fastOpen(Order) error     { return errors.ErrUnsupported }
func signalHost() error        { return errors.ErrUnsupported }
func traceHost() error         { return errors.ErrUnsupported }
func peekHost() error          { return errors.ErrUnsupported }
func unshare() error           { return errors.ErrUnsupported }
func ring() error              { return errors.ErrUnsupported }
func raise() error             { return errors.ErrUnsupported }
