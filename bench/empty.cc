// The empty C++ program that p5_start.py subtracts: what the system takes to start and end any.
int main() { return 0; }
