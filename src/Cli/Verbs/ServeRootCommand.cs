using System.CommandLine;
using System.CommandLine.Parsing;
using Serve.Cli.Hosting;

namespace Serve.Cli.Verbs;

/// <summary>Root of the command line.</summary>
internal static class ServeRootCommand
{
    /// <summary>Creates the root command.</summary>
    /// <param name="console">Console of the commands.</param>
    /// <param name="stop">Stops commands that run until they are stopped.</param>
    public static RootCommand Create(CommandConsole console, ShutdownTokens stop) => new("Ray Serve for .NET: serves C# classes over HTTP and handles, and shows the state of tasks and actors.")
    {
        ServeRunCommand.Create(console, stop),
        ServeStartCommand.Create(console, stop),
        ServeDeployCommand.Create(console),
        ServeStatusCommand.Create(console),
        ServeDashboardCommand.Create(console),
        ServeConfigCommand.Create(console),
        ServeScaleCommand.Create(console),
        ServeLogsCommand.Create(console),
        ServeListCommand.Create(console),
        ServeSummaryCommand.Create(console),
        ServeMemoryCommand.Create(console),
        ServeTimelineCommand.Create(console),
        ServeWorkflowCommand.Create(console),
        ServeRevisionCommands.CreateHistory(console),
        ServeRevisionCommands.CreateDiff(console),
        ServeRevisionCommands.CreatePromote(console),
        ServeRevisionCommands.CreateCanary(console),
        ServeRevisionCommands.CreateRollback(console),
        ServeDeleteCommand.Create(console),
        ServeBuildCommand.Create(console),
        ServeDrainCommand.Create(console),
        ServeShutdownCommand.CreateStop(console),
        ServeShutdownCommand.Create(console),
    };

    /// <summary>Parses and runs a command line.</summary>
    /// <param name="arguments">Arguments of the process.</param>
    /// <param name="console">Console of the command.</param>
    /// <param name="stop">Stops the command.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments, CommandConsole console, ShutdownTokens stop)
    {
        // Without a command, print the help.
        var parsed = Create(console, stop).Parse(arguments is [] ? ["--help"] : arguments);
        if (parsed.Errors.Count > 0)
        {
            console.WriteErrors(Describe(parsed));
            console.Error.WriteLine($"Run 'serve {string.Join(' ', Path(parsed))}--help' for usage.");
            return CliExitCode.Usage;
        }

        var configuration = new InvocationConfiguration
        {
            Output = console.Out,
            Error = console.Error,
            // The commands handle signals themselves: a node drains first.
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        };
        return await parsed.InvokeAsync(configuration, stop.Requested);
    }

    private static IEnumerable<string> Describe(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is RootCommand root && parsed.UnmatchedTokens is [var word, ..] && !word.StartsWith('-'))
        {
            string[] verbs = [.. root.Subcommands.Select(command => command.Name)];
            var hint = NearestNameFinder.Find(word, verbs) is { } near ? $"did you mean '{near}'?" : $"the commands are {string.Join(", ", verbs)}.";
            return [$"unknown command '{word}'; {hint}"];
        }

        // The words after an unknown option are its value, and no errors of their own.
        if (parsed.UnmatchedTokens.FirstOrDefault(token => token.StartsWith("--", StringComparison.Ordinal)) is { } option)
        {
            var near = NearestNameFinder.Find(option, parsed.CommandResult.Command.Options.Select(known => known.Name));
            return [$"unknown option '{option}'{(near is null ? "." : $"; did you mean '{near}'?")}"];
        }

        var errors = parsed.Errors;
        // The error of a missing command is redundant if the unknown word in its place is reported.
        var telling = errors.Where(error => error.SymbolResult is not CommandResult { Command: RootCommand } || errors.Count == 1 || error.Message.Contains('\'', StringComparison.Ordinal));
        return telling.Select(error => error.SymbolResult is ArgumentResult { Tokens.Count: 0 } missing ? $"{missing.Argument.Name} is missing." : error.Message);
    }

    private static IEnumerable<string> Path(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? [] : [parsed.CommandResult.Command.Name + " "];
}
