// Package plugin is both ends of the protocol between a host and a data
// source or app plugin: what an author implements and serves, and the Client
// through which a host makes the same calls.
package plugin
