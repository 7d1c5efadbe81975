module github.com/plugboard/plugboard/examples

go 1.26

replace github.com/plugboard/plugboard => ../
