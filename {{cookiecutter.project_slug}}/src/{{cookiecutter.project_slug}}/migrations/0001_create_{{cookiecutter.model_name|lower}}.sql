-- migrate:up

-- IF NOT EXISTS: a database may have the table from before there were migrations.
CREATE TABLE IF NOT EXISTS "{{ cookiecutter.model_name | lower }}" (
    "id" serial PRIMARY KEY,
    "name" varchar(255) NOT NULL
);

-- migrate:down

DROP TABLE "{{ cookiecutter.model_name | lower }}";
