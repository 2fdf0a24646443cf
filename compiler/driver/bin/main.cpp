#include "driver/commands.h"

int main(int argc, char** argv) { return dini::driver::runDini(argc, argv); }
