"""Finding the entity of one record online: the blocking keys, the model and the rules of the batch."""
