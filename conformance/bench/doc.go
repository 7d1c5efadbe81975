// Package bench measures us beside the official SDK. Every benchmark is named
// Operation/<rows>x<columns>[-variant]/<ours|official>.
package bench
