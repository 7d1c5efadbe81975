module github.com/plugboard/plugboard/conformance

go 1.26.0

replace (
	github.com/plugboard/plugboard => ../
	github.com/plugboard/plugboard/server => ../server
)
