using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Serve.Generators.Tests;

/// <summary>User code, compiled together with the generated code as by the SDK.</summary>
internal sealed class CompiledUserCode
{
    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Serve.Generators", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Net.Http.Json;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Hosting;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Mvc;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        global using Serve;
        global using RemoteAttribute = Serve.RemoteAttribute;
        """;

    private CompiledUserCode(Compilation compilation, GeneratorDriverRunResult run)
    {
        Compilation = compilation;
        Run = run;
    }

    public Compilation Compilation { get; }

    public GeneratorDriverRunResult Run { get; }

    public string Generated => string.Join("\n", Run.GeneratedTrees.Select(tree => tree.ToString()));

    /// <summary>The generator's diagnostics, as <c>line: id message</c>.</summary>
    public IEnumerable<string> Findings => Run.Diagnostics.OrderBy(each => each.Location.SourceSpan.Start).Select(each =>
        $"{each.Location.GetLineSpan().StartLinePosition.Line + 1}: {each.Severity} {each.Id} {each.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}");

    public static CompiledUserCode From(string source, LanguageVersion version = LanguageVersion.CSharp14)
    {
        var (driver, compilation) = Start(source, version);
        var run = driver.RunGeneratorsAndUpdateCompilation(compilation, out var output, out _).GetRunResult();
        return new CompiledUserCode(output, run);
    }

    public static (GeneratorDriver Driver, CSharpCompilation Compilation) Start(string source, LanguageVersion version = LanguageVersion.CSharp14)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(version);
        var compilation = CSharpCompilation.Create(
            "User" + Guid.NewGuid().ToString("N"),
            [CSharpSyntaxTree.ParseText(ImplicitUsings, options, "Usings.cs"), CSharpSyntaxTree.ParseText(source, options, "User.cs")],
            References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new DeploymentHandleGenerator().AsSourceGenerator(), new RemoteCallerGenerator().AsSourceGenerator()],
            parseOptions: options,
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        return (driver, compilation);
    }

    /// <summary>The compiler's errors anywhere, and its warnings about generated code.</summary>
    public IReadOnlyList<string> Problems() => [.. Compilation.GetDiagnostics()
        .Where(each => each.Severity == DiagnosticSeverity.Error
            || (each.Severity == DiagnosticSeverity.Warning && each.Location.SourceTree?.FilePath.EndsWith(".g.cs", StringComparison.Ordinal) == true))
        .Select(each => each.ToString())];

    /// <summary>The compiler's warnings about the user's own code.</summary>
    public IEnumerable<string> Warnings() => Compilation.GetDiagnostics().Where(each => each.Severity == DiagnosticSeverity.Warning).Select(each => each.ToString());

    /// <summary>Loads the code and runs <c>static async Task Test.Main(Cluster ray)</c> of it.</summary>
    public async Task RunOnClusterAsync()
    {
        var assembly = Load();
        await using var ray = await Cluster.Init(new() { Observable = false });
        await (Task)MainOf(assembly).Invoke(null, [ray])!;
    }

    /// <summary>Loads the code and runs <c>static async Task Test.Main(CallRecorder target)</c> of it.</summary>
    public async Task<CallRecorder> RunAsync(string deployment)
    {
        var assembly = Load();
        var constructor = Assert.Single(assembly.GetType(deployment, throwOnError: true)!.GetConstructors());
        var target = new CallRecorder(constructor.Invoke(new object?[constructor.GetParameters().Length]));
        await (Task)MainOf(assembly).Invoke(null, [target])!;
        return target;
    }

    private static MethodInfo MainOf(Assembly assembly) =>
        assembly.GetType("Test", throwOnError: true)!.GetMethod("Main", BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)!;

    private Assembly Load()
    {
        Assert.Empty(Problems());
        using var image = new MemoryStream();
        var emitted = Compilation.Emit(image);
        Assert.True(emitted.Success, string.Join("\n", emitted.Diagnostics));
        image.Position = 0;
        return new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(image);
    }
}
