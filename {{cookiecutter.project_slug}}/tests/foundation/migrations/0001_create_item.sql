-- migrate:up

CREATE TABLE "item" (
    "id" serial PRIMARY KEY,
    "name" varchar(255) NOT NULL
);

-- migrate:down

DROP TABLE "item";
