using Serve.Cli;
using Serve.Cli.Hosting;
using Serve.Cli.Verbs;
using Serve.Runtime;

// Before anything else is loaded: a worker's start counts.
if (args is [ServeProcess.WorkerVerb])
{
    await WorkerHost.RunAsync(services => services.AddServeProcess());
    return ExitCode.Ok;
}

using var signals = new StopSignals(TimeProvider.System);
return await ServeCommand.RunAsync(args, CliConsole.Standard(), signals.Tokens);
