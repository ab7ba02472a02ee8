using System.CommandLine;
using System.CommandLine.Parsing;
using Serve.Cli.Hosting;

namespace Serve.Cli.Verbs;

/// <summary>The whole command line.</summary>
internal static class ServeRootCommand
{
    /// <summary>Makes it.</summary>
    /// <param name="console">Where the verbs write.</param>
    /// <param name="stop">Ends those that go on until told to.</param>
    /// <returns>The root.</returns>
    public static RootCommand Create(CommandConsole console, ShutdownTokens stop) => new("Ray Serve for .NET: serves C# classes over HTTP and handles, and tells what tasks and actors do.")
    {
        ServeRunCommand.Create(console, stop),
        ServeStartCommand.Create(console, stop),
        ServeDeployCommand.Create(console),
        ServeStatusCommand.Create(console),
        ServeConfigCommand.Create(console),
        ServeScaleCommand.Create(console),
        ServeLogsCommand.Create(console),
        ServeListCommand.Create(console),
        ServeSummaryCommand.Create(console),
        ServeMemoryCommand.Create(console),
        ServeTimelineCommand.Create(console),
        ServeDeleteCommand.Create(console),
        ServeBuildCommand.Create(console),
        ServeShutdownCommand.CreateStop(console),
        ServeShutdownCommand.Create(console),
    };

    /// <summary>Reads and runs a command line.</summary>
    /// <param name="arguments">What the process was started with.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="stop">Ends the command.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments, CommandConsole console, ShutdownTokens stop)
    {
        // Without a verb there is nothing to do but tell the verbs.
        var parsed = Create(console, stop).Parse(arguments is [] ? ["--help"] : arguments);
        if (parsed.Errors.Count > 0)
        {
            console.WriteErrors(Describe(parsed.Errors));
            console.Error.WriteLine($"'serve {string.Join(' ', Path(parsed))}--help' tells what there is.");
            return CliExitCode.Usage;
        }

        var configuration = new InvocationConfiguration
        {
            Output = console.Out,
            Error = console.Error,
            // Signals are the verbs' own: a node drains first.
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        };
        return await parsed.InvokeAsync(configuration, stop.Requested);
    }

    private static IEnumerable<string> Describe(IReadOnlyList<ParseError> errors)
    {
        // That a verb is missing says nothing when what stands in its place is told.
        var telling = errors.Where(error => error.SymbolResult is not CommandResult { Command: RootCommand } || errors.Count == 1 || error.Message.Contains('\'', StringComparison.Ordinal));
        return telling.Select(error => error.SymbolResult is ArgumentResult { Tokens.Count: 0 } missing ? $"{missing.Argument.Name} is missing." : error.Message);
    }

    private static IEnumerable<string> Path(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? [] : [parsed.CommandResult.Command.Name + " "];
}
