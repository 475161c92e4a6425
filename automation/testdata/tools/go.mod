// The tools module of a project whose only tool is hello.
module example.com/tools

go 1.26

require example.com/hello v1.2.3

replace example.com/hello v1.2.3 => ./hello
