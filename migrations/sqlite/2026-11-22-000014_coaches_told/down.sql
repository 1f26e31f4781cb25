DROP TABLE coaches_told;
