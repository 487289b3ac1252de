dot -Tsvg model.dot -o model.svg
