using Serve.Generators.Emit;
using Serve.Generators.Models;

namespace Serve.Workflows.Generators;

/// <summary>Writes the typed steps of a class: <c>ctx.Steps.BookFlight.Run(…)</c> and <c>Bind</c>.</summary>
internal static class StepWriter
{
    private const string Serve = "global::Serve.Workflows";
    private const string StepContext = "global::Serve.Workflows.StepContext";

    public static string Write(StepClassModel model)
    {
        var holder = $"{model.Class.Flat}_Workflow";
        var writer = WorkflowWriter.Open(model.Class);
        writer.Line($"/// <summary>The steps of <c>{model.Class.Name}</c>.</summary>")
            .Line("[global::System.ComponentModel.EditorBrowsable(global::System.ComponentModel.EditorBrowsableState.Never)]")
            .Line("[global::System.CodeDom.Compiler.GeneratedCode(\"Serve.Workflows.Generators\", \"0.1.0\")]")
            .Open($"{model.Class.Visibility} static class {holder}");
        WriteOwner(writer, model, holder, $"{Serve}.WorkflowContext context", "context");
        if (model.Steps.Any(step => step.IsStep))
            WriteOwner(writer, model, holder, $"{Serve}.WorkflowHost host", "null");
        foreach (var step in model.Steps.Where(step => !step.IsStep))
        {
            writer.Open($"extension({(model.Class.Namespace is { } space ? $"global::{space}." : "global::")}{model.Class.Flat}_Remote.{step.Method.Name}_Function function)");
            WriteBind(writer, step, $"{step.Method.Name}_Step.__definition, null");
            writer.Close();
        }

        writer.Line($"/// <summary>The steps of <c>{model.Class.Name}</c>.</summary>")
            .Open($"{model.Class.Visibility} readonly struct All_Steps")
            .Line($"private readonly {Serve}.WorkflowContext? __context;")
            .Line($"internal All_Steps({Serve}.WorkflowContext? context) => this.__context = context;");
        foreach (var step in model.Steps)
        {
            writer.Line($"/// <summary>The step <c>{step.Method.Name}</c>.</summary>")
                .Line($"{Visibility(model, step)} {step.Method.Name}_Step {WorkflowWriter.Identifier(step.Method.Name)} => new(this.__context, null);");
        }

        writer.Close();
        foreach (var step in model.Steps)
            WriteStep(writer, model, step);
        writer.Close();
        WriteRegistration(writer, model, holder);
        return WorkflowWriter.Close(writer, model.Class);
    }

    private static string Visibility(StepClassModel model, StepModel step) => model.Class.IsPublic && step.IsPublic ? "public" : "internal";

    private static void WriteOwner(IndentedSourceWriter writer, StepClassModel model, string holder, string receiver, string context) => writer
        .Open($"extension({receiver})")
        .Line($"/// <summary>The steps of <c>{model.Class.Name}</c>.</summary>")
        .Line($"public {holder}.All_Steps {WorkflowWriter.Identifier(model.Class.Name)} => new {holder}.All_Steps({context});")
        .Close();

    private static void WriteStep(IndentedSourceWriter writer, StepClassModel model, StepModel step)
    {
        var name = $"{step.Method.Name}_Step";
        var arguments = step.Method.Arguments.ToList();
        var passed = string.Concat(arguments.Select(argument => IsContext(argument) ? ", null" : $", {WorkflowWriter.Identifier(argument.Name)}"));
        var declared = string.Join(", ", arguments.Where(argument => !IsContext(argument)).Select(WorkflowWriter.Declare));
        writer.Line($"/// <summary>The step <c>{step.Method.Name}</c>.</summary>")
            .Open($"{Visibility(model, step)} readonly struct {name}")
            .Line($"internal static readonly {Serve}.Definitions.StepDefinition<{step.Declared}> __definition = new(")
            .Line($"    new global::Serve.RemoteFunction(typeof({model.Class.Type}), \"{step.Method.Name}\", {(step.Method.IsAsync ? "true" : "false")}, {step.Remote}, {(step.Method.TakesToken ? "true" : "false")}),")
            .Line($"    {step.Options}, new global::System.Type[] {{ {string.Join(", ", arguments.Select(argument => $"typeof({argument.BareType})"))} }}, {Invoker(model, step)});")
            .Line($"private readonly {Serve}.WorkflowContext? __context;")
            .Line($"private readonly {Serve}.StepOptions? __options;")
            .Line($"internal {name}({Serve}.WorkflowContext? context, {Serve}.StepOptions? options) {{ this.__context = context; this.__options = options; }}")
            .Line($"private {Serve}.WorkflowContext Context => this.__context ?? throw new global::System.InvalidOperationException(\"Steps run in workflow code only: use the property of its WorkflowContext. Bind works anywhere.\");")
            .Line("/// <summary>Runs the step, or returns its logged result.</summary>")
            .Line($"public global::System.Threading.Tasks.Task<{step.Result}> Run({declared}) => this.Context.RunStep<{step.Result}>(__definition, this.__options{passed});")
            .Line("/// <summary>Runs the step and returns its result or its error.</summary>")
            .Line($"public global::System.Threading.Tasks.Task<{Serve}.StepResult<{step.Result}>> TryRun({declared}) => this.Context.TryRunStep<{step.Result}>(__definition, this.__options{passed});")
            .Line("/// <summary>Returns the same step with other options; null properties keep the attribute's value.</summary>")
            .Line($"public {name} Options({Serve}.StepOptions options) => new(this.__context, options);");
        WriteBind(writer, step, "__definition, this.__options");
        writer.Close();
    }

    private static void WriteBind(IndentedSourceWriter writer, StepModel step, string first)
    {
        var arguments = step.Method.Arguments.ToList();
        var bound = arguments.Where(argument => !IsContext(argument)).ToList();
        var lastRequired = bound.FindLastIndex(argument => !argument.IsOptional);
        var declared = string.Join(", ", bound.Select((argument, i) => $"{Serve}.Bound<{argument.Type}>{(i > lastRequired ? "?" : "")} {WorkflowWriter.Identifier(argument.Name)}{(i > lastRequired ? " = null" : "")}"));
        var passed = string.Concat(arguments.Select(argument => IsContext(argument) ? ", null" : $", {Pass(argument, bound.IndexOf(argument) > lastRequired)}"));
        writer.Line("/// <summary>Creates a call for a graph; it runs when the graph runs as a workflow. Arguments are values or other calls.</summary>")
            .Line($"public {Serve}.WorkflowNode<{step.Result}> Bind({declared}) => new({first}{passed});");
    }

    private static string Pass(MethodParameterModel argument, bool isOptional)
    {
        var name = WorkflowWriter.Identifier(argument.Name);
        return isOptional ? $"(object?){name} ?? {argument.Default ?? $"new {argument.BareType} {{ }}"}" : name;
    }

    private static bool IsContext(MethodParameterModel argument) => argument.BareType == StepContext;

    /// <summary>Returns the lambda that invokes the method with boxed arguments.</summary>
    private static string Invoker(StepClassModel model, StepModel step)
    {
        var next = 0;
        var arguments = step.Method.Parameters.Select(parameter => parameter.Source switch
        {
            ParameterValueSource.Token => "stop",
            ParameterValueSource.Cluster => "global::Serve.Cluster.Current",
            _ => $"({parameter.Type})a[{next++}]!",
        });
        var call = $"{model.Class.Type}.{WorkflowWriter.Identifier(step.Method.Name)}({string.Join(", ", arguments)})";
        return step.Method.Shape switch
        {
            MethodReturnShape.Nothing => $"static (a, stop) => {{ {call}; return default; }}",
            MethodReturnShape.Task => $"static async (a, stop) => {{ await {call}.ConfigureAwait(false); return null; }}",
            MethodReturnShape.TaskOfValue => $"static async (a, stop) => await {call}.ConfigureAwait(false)",
            _ => $"static (a, stop) => new global::System.Threading.Tasks.ValueTask<{step.Declared}>({call})",
        };
    }

    private static void WriteRegistration(IndentedSourceWriter writer, StepClassModel model, string holder)
    {
        writer.Open($"file static class {model.Class.Flat}_StepRegistration")
            .Line("[global::System.Runtime.CompilerServices.ModuleInitializer]")
            .Open("internal static void Register()");
        foreach (var step in model.Steps)
            writer.Line($"{Serve}.Definitions.WorkflowRegistry.Add({holder}.{step.Method.Name}_Step.__definition);");
        writer.Close().Close();
    }
}
