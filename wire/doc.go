// Package wire is the protocol between a host and a plugin as generated code:
// messages and gRPC stubs, written by "make generate" from proto/. Packages
// plugin and host speak it; nobody else needs to.
package wire
