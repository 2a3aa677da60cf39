"""What knows no business and no database: phones, spreadsheets, text, crypto."""
