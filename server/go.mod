module github.com/plugboard/plugboard/server

go 1.26

replace github.com/plugboard/plugboard => ../
