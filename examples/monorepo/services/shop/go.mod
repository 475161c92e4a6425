module example.com/platform/services/shop

go 1.24
