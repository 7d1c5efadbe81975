//go:build !linux

package main

// shield does nothing here.
func shield() error { return nil }
