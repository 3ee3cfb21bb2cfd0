"""What tests share: servers, scripted people, clocks, programs that are killed."""
