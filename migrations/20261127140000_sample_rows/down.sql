DROP TABLE sample_rows;
