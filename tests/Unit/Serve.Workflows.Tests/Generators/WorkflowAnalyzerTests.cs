using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Serve.Workflows.Generators;

namespace Serve.Workflows.Tests.Generators;

/// <summary>Diagnostics of workflow code, workflow classes and steps.</summary>
public sealed class WorkflowAnalyzerTests
{
    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).EndsWith("Tests.dll", StringComparison.Ordinal) && !Path.GetFileName(path).Contains("TestProgram", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    [Theory]
    [InlineData("_ = System.DateTime.UtcNow;", "SWF001", "'DateTime.UtcNow' is different in each replay of the workflow; use ctx.Now, or move the call to a step")]
    [InlineData("_ = System.Guid.NewGuid();", "SWF001", "'Guid.NewGuid' is different in each replay of the workflow; use ctx.NewGuid(), or move the call to a step")]
    [InlineData("_ = System.Random.Shared.Next();", "SWF001", "'Random.Shared' is different in each replay of the workflow; use ctx.Random, or move the call to a step")]
    [InlineData("_ = new System.Random();", "SWF001", "'new Random()' is different in each replay of the workflow; use ctx.Random, or move the call to a step")]
    [InlineData("await Task.Delay(1);", "SWF002", "'Task.Delay' leaves the context of the workflow, which is then blocked at run time; use ctx.Sleep")]
    [InlineData("await Task.Run(() => { });", "SWF002", "'Task.Run' leaves the context of the workflow, which is then blocked at run time; use a step")]
    [InlineData("await ctx.Sleep(default).ConfigureAwait(false);", "SWF002", "'Task.ConfigureAwait' leaves the context of the workflow, which is then blocked at run time; use await without ConfigureAwait")]
    [InlineData("_ = System.IO.File.Exists(\"x\");", "SWF003", "'File.Exists' is repeated in each replay of the workflow; move the call to a step")]
    [InlineData("_ = new System.Net.Http.HttpClient();", "SWF003", "'new HttpClient' is repeated in each replay of the workflow; move the call to a step")]
    [InlineData("s_count++;", "SWF004", "'W.s_count' is shared by all workflows and is lost at a restart; use a field of the workflow")]
    [InlineData("ctx.Sleep(default);", "SWF005", "'Sleep' is not awaited: the workflow may end before it, and its exception is lost; await it, or keep the task and await it later")]
    public async Task WorkflowCode_NonDeterministic_IsReported(string statement, string id, string message)
    {
        var findings = await Analyze($$"""
            using System.Threading.Tasks;
            using Serve.Workflows;
            [Workflow]
            public sealed class W
            {
                private static int s_count;
                public async Task<int> Run(WorkflowContext ctx) { {{statement}} await ctx.Sleep(default); return s_limit; }
                private const int s_limit = 1;
            }
            """);

        Assert.Equal([$"{id} {message}"], findings);
    }

    [Fact]
    public async Task WorkflowCode_SameCallsInStepsAndOtherClasses_AreNotReported()
    {
        var findings = await Analyze("""
            using System.Threading.Tasks;
            using Serve.Workflows;
            [Workflow]
            public sealed class W
            {
                public async Task<int> Run(WorkflowContext ctx)
                {
                    var pending = ctx.Sleep(default);
                    await ctx.Step("s", async (step, stop) => { await Task.Delay(1); return System.DateTime.UtcNow; });
                    await pending;
                    return 1;
                }
            }
            public static class Other
            {
                [Step] public static async Task<int> Do(int x) { await Task.Delay(1).ConfigureAwait(false); return System.Random.Shared.Next(x); }
            }
            """);

        Assert.Empty(findings);
    }

    [Fact]
    public async Task Signatures_ValuesThatCannotBeStored_AreReported()
    {
        var findings = await Analyze("""
            using System; using System.IO; using System.Threading.Tasks;
            using Serve; using Serve.Workflows;
            public sealed class Camera { }
            public static class Other
            {
                [Step] public static Stream Open(Action done) => null!;
                [Step] public static void Use(ActorHandle<Camera> camera, StepContext step) { }
            }
            """);

        Assert.Equal(
            [
                "SWF006 'Other.Open' returns 'Stream', which cannot be stored as JSON; use data instead",
                "SWF006 'Other.Open' takes 'Action', which cannot be stored as JSON; use data instead",
                "SWF007 'Other.Use' takes 'ActorHandle<Camera>': an actor ends with its cluster, so its handle cannot be stored; pass the actor's name and get the actor in the step",
            ],
            findings.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("[Workflow] public sealed class W { public int Run(WorkflowContext ctx) => 1; }", "SWF010 Workflow 'W' must have a method Run that returns Task or Task<T>")]
    [InlineData("[Workflow] public sealed class W { public Task<int> Run(int x) => null!; }", "SWF010 Workflow 'W' must have a method Run whose first parameter is a WorkflowContext")]
    [InlineData("[Workflow] public sealed class W { }", "SWF010 Workflow 'W' must have exactly one public method Run, but has 0")]
    [InlineData("[Workflow] public sealed class W(int x) { public Task<int> Run(WorkflowContext ctx) => Task.FromResult(x); }", "SWF010 Workflow 'W' must have a constructor without parameters; pass data to Run")]
    [InlineData("[Workflow] public sealed class W<T> { public Task<int> Run(WorkflowContext ctx) => null!; }", "SWF010 Workflow 'W' is generic, but stored workflows have no type arguments")]
    [InlineData("[Workflow] public abstract class W { public Task<int> Run(WorkflowContext ctx) => null!; }", "SWF010 Workflow 'W' cannot be instantiated")]
    [InlineData("public class S { [Step] public int Do() => 1; }", "SWF011 Step 'S.Do' must be static, because a task has no instance")]
    [InlineData("public class S { [Step] private static int Do() => 1; }", "SWF011 Step 'S.Do' must be internal or public")]
    [InlineData("public class S { [Step] public static int Do() => 1; [Step] public static int Do(int x) => 1; }", "SWF011 Step 'S.Do' is overloaded, but steps are found by name; rename one overload")]
    [InlineData("public class S { [Step] public static System.Collections.Generic.IAsyncEnumerable<int> Do() => null!; }", "SWF011 Step 'S.Do' returns a stream, which cannot be stored; return a list")]
    public void Declarations_Invalid_AreErrors(string declaration, string expected)
    {
        var compilation = Compile($"using System.Threading.Tasks; using Serve.Workflows; {declaration}");
        CSharpGeneratorDriver.Create([new WorkflowGenerator().AsSourceGenerator()], parseOptions: CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14))
            .RunGeneratorsAndUpdateCompilation(compilation, out _, out var diagnostics);

        Assert.Contains(expected, diagnostics.Select(Text));
    }

    private static async Task<IReadOnlyList<string>> Analyze(string source)
    {
        var compilation = Compile(source);
        Assert.Empty(compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(Text));
        var diagnostics = await compilation.WithAnalyzers([new WorkflowCodeAnalyzer()]).GetAnalyzerDiagnosticsAsync();
        return [.. diagnostics.OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start).Select(Text)];
    }

    private static string Text(Diagnostic diagnostic) => $"{diagnostic.Id} {diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}";

    private static CSharpCompilation Compile(string source) => CSharpCompilation.Create(
        "User", [CSharpSyntaxTree.ParseText(source, CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14))], References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
}
