using System.CommandLine;
using Serve.Cli.Display;
using Serve.Cli.Hosting;
using Serve.Controller;
using Serve.Controller.Builds;
using Serve.Controller.Packages;

namespace Serve.Cli.Verbs;

/// <summary><c>serve build TARGET -o FILE</c>: a package that <c>deploy</c> takes on another machine.</summary>
internal static class ServeBuildCommand
{
    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console)
    {
        var target = new Argument<string>("TARGET") { Description = "A .cs file, a project, a .dll or an .onnx file." };
        var output = new Option<string>("--output", "-o") { Description = "The package to write.", HelpName = "FILE.zip", Required = true };
        var command = new Command("build", "Build a package that 'deploy' takes on another machine.") { target, output };
        command.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            var path = ImportPath.Resolve(parsed.GetValue(target)!);
            var file = parsed.GetValue(output)!;
            if (!file.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
                throw new CommandFailedException($"--output {file}: a package's name ends in .zip, by which 'deploy' knows it.", CliExitCode.Usage);
            await WithArchiveAsync(path, console, archive =>
            {
                File.Move(archive, file, overwrite: true);
                return Task.FromResult(file);
            }, cancellationToken);
            console.Out.WriteLine(file);
            return CliExitCode.Ok;
        });
        return command;
    }

    /// <summary>Builds, checks and packs a target into a zip file that is gone afterwards.</summary>
    /// <typeparam name="T">What is made of it.</typeparam>
    /// <param name="path">What to pack.</param>
    /// <param name="console">Where the build is told.</param>
    /// <param name="use">Gets the zip file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What <paramref name="use"/> made.</returns>
    public static async Task<T> WithArchiveAsync<T>(ImportPath path, CommandConsole console, Func<string, Task<T>> use, CancellationToken cancellationToken)
    {
        if (path.Kind is ImportPathKind.Archive)
            return await use(path.Location);
        using var work = new TemporaryDirectory("serve-build-");
        var store = new ApplicationPackageStore(Path.Combine(work.Path, "packages"));
        var builder = new ApplicationPackageBuilder(store, NodeStateDirectory.DefaultBuildCache, new BuildProgressLine(console), TimeProvider.System);
        var package = await new PackageApplicationSource(builder, store, new PackageInspector()).PrepareAsync(path.ToString(), cancellationToken);
        var archive = Path.Combine(work.Path, "package.zip");
        PackageZipArchive.Write(package.Directory, archive);
        return await use(archive);
    }
}
