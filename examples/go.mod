module github.com/plugboard/plugboard/examples

go 1.26.0

replace github.com/plugboard/plugboard => ../
