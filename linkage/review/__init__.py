"""What happens at the review desk, without its pages: the queue, a case with its evidence, rulings, the trail."""
