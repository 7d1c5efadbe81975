module github.com/plugboard/plugboard/conformance

go 1.26

replace (
	github.com/plugboard/plugboard => ../
	github.com/plugboard/plugboard/server => ../server
)
