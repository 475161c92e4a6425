module webapp

go 1.24
