using Serve.Generators.Models;

namespace Serve.Generators.Emit;

/// <summary>Writes the struct that calls one method: <c>Remote</c> for values, for references and for mixes of both, and <c>Options</c>.</summary>
internal static class CallerStructWriter
{
    /// <summary>Maximum number of interface-typed parameters with an overload for each mix of values and references.</summary>
    private const int MostInterfaces = 3;

    private const string Arg = "global::Serve.Arg";
    private const string Ref = "global::Serve.ObjectRef";

    public static void Write(IndentedSourceWriter writer, RemoteCallerModel caller, Action<IndentedSourceWriter>? more = null)
    {
        writer.Line()
            .Line($"/// <summary>{caller.Title}</summary>")
            .Open($"{(caller.IsPublic ? "public" : "internal")} readonly struct {caller.Struct}{(RemoteFunctionWriter.InterfaceOf(caller) is { } contract ? $" : {contract}" : "")}");
        if (caller.Field is { } field)
            writer.Line(field);
        writer.Line($"private readonly {caller.Owner} __owner;")
            .Line($"private readonly {caller.Options}? __options;")
            .Line($"internal {caller.Struct}({caller.Owner} owner, {caller.Options}? options) {{ this.__owner = owner; this.__options = options; }}");
        WriteValues(writer, caller);
        var arguments = caller.Method.Arguments.ToList();
        foreach (var forms in Forms(arguments))
            WriteRefs(writer, caller, arguments, forms);
        writer.Line("/// <summary>Returns the same caller with other options; null properties keep the attribute's value.</summary>")
            .Line($"public {caller.Struct} Options({caller.Options} options) => new(this.__owner, options);");
        more?.Invoke(writer);
        writer.Close();
    }

    private static void WriteValues(IndentedSourceWriter writer, RemoteCallerModel caller)
    {
        var arguments = caller.Method.Arguments.ToList();
        var names = arguments.Select(argument => DeploymentHandleWriter.Identifier(argument.Name)).ToList();
        var start = Start(caller, $"new {caller.ValueCall}({string.Join(", ", names)})");
        var hidden = arguments.Where(argument => argument.Fit == ParameterTypeKind.Anything)
            .Select(argument => $"{DeploymentHandleWriter.Identifier(argument.Name)} is {Ref} or global::Serve.DeploymentResponse").ToList();
        var wrapped = arguments.Select(argument => $"{Arg}.ForTask<{argument.BareType}>({Arg}.Of<{argument.BareType}>({DeploymentHandleWriter.Identifier(argument.Name)}))");
        writer.Line("/// <summary>Starts a call.</summary>")
            .Line("[global::System.Runtime.CompilerServices.OverloadResolutionPriority(1)]")
            .Line($"public {caller.Returned} Remote({string.Join(", ", arguments.Select(Declare))}) =>")
            .Line(hidden.Count == 0
                ? $"    {start};"
                : $"    {string.Join(" || ", hidden)} ? {Start(caller, $"new {caller.RefCall}({string.Join(", ", wrapped)})")} : {start};");
    }

    private static void WriteRefs(IndentedSourceWriter writer, RemoteCallerModel caller, List<MethodParameterModel> arguments, ArgumentDeclarationForm[] forms)
    {
        // Parameters before a required parameter must be required too.
        var lastRequired = -1;
        for (var i = 0; i < arguments.Count; i++)
        {
            if (!arguments[i].IsOptional || forms[i] is ArgumentDeclarationForm.Ref or ArgumentDeclarationForm.DerivedRef)
                lastRequired = i;
        }

        var declared = arguments.Select((argument, i) => Declare(argument, forms[i], i, isOptional: i > lastRequired));
        var types = arguments.Select((_, i) => i).Where(i => forms[i] == ArgumentDeclarationForm.DerivedRef).ToList();
        var generic = types.Count == 0 ? "" : $"<{string.Join(", ", types.Select(i => $"TArgument{i}"))}>";
        var constraints = string.Concat(types.Select(i => $" where TArgument{i} : {arguments[i].BareType}"));
        var passed = arguments.Select((argument, i) => Pass(argument, forms[i], isOptional: i > lastRequired));
        // Nullable-oblivious: a reference to a string can be passed for a string?, and vice versa.
        writer.Line("#nullable disable annotations")
            .Line("/// <summary>Starts a call when the objects whose references are passed as arguments are ready; if one of them fails, the call fails with the same exception.</summary>")
            .Line($"public {caller.Returned} Remote{generic}({string.Join(", ", declared)}){constraints} =>")
            .Line($"    {Start(caller, $"new {caller.RefCall}({string.Join(", ", passed)})")};")
            .Line("#nullable enable");
    }

    /// <summary>Returns how each parameter is declared, per overload.</summary>
    private static IEnumerable<ArgumentDeclarationForm[]> Forms(List<MethodParameterModel> arguments)
    {
        if (arguments.Count == 0)
            yield break;
        if (arguments.Count == 1)
        {
            if (arguments[0].Fit != ParameterTypeKind.Anything)
                yield return [arguments[0].Fit == ParameterTypeKind.Exact ? ArgumentDeclarationForm.Ref : ArgumentDeclarationForm.DerivedRef];
            yield break;
        }

        var interfaces = arguments.Select((argument, i) => (argument, i)).Where(each => each.argument.Fit == ParameterTypeKind.Interface).Select(each => each.i).ToList();
        var mixes = interfaces.Count is > 0 and <= MostInterfaces ? 1 << interfaces.Count : 1;
        for (var mix = 0; mix < mixes; mix++)
        {
            var forms = arguments.Select(argument => argument.Fit == ParameterTypeKind.Anything ? ArgumentDeclarationForm.Value : ArgumentDeclarationForm.Either).ToArray();
            for (var bit = 0; bit < interfaces.Count && mixes > 1; bit++)
                forms[interfaces[bit]] = (mix & (1 << bit)) == 0 ? ArgumentDeclarationForm.Value : ArgumentDeclarationForm.DerivedRef;
            if (forms.Any(form => form != ArgumentDeclarationForm.Value))
                yield return forms;
        }
    }

    private static string Declare(MethodParameterModel parameter) =>
        $"{(parameter.IsParams ? "params " : "")}{parameter.Type} {DeploymentHandleWriter.Identifier(parameter.Name)}{(parameter.Default is { } value ? $" = {value}" : "")}";

    private static string Declare(MethodParameterModel parameter, ArgumentDeclarationForm form, int index, bool isOptional)
    {
        var name = DeploymentHandleWriter.Identifier(parameter.Name);
        return form switch
        {
            ArgumentDeclarationForm.Value => $"{parameter.BareType} {name}{(isOptional ? $" = {parameter.Default ?? "default!"}" : "")}",
            ArgumentDeclarationForm.Either => $"{Arg}<{parameter.BareType}> {name}{(isOptional ? " = default" : "")}",
            ArgumentDeclarationForm.Ref => $"{Ref}<{parameter.BareType}> {name}",
            _ => $"{Ref}<TArgument{index}> {name}",
        };
    }

    private static string Pass(MethodParameterModel parameter, ArgumentDeclarationForm form, bool isOptional)
    {
        var name = DeploymentHandleWriter.Identifier(parameter.Name);
        var fallback = parameter.Default ?? "[]";
        return form switch
        {
            ArgumentDeclarationForm.Value when isOptional && parameter.IsParams => $"{Arg}.Of<{parameter.BareType}>({name} ?? [])",
            ArgumentDeclarationForm.Value => $"{Arg}.ForTask<{parameter.BareType}>({Arg}.Of<{parameter.BareType}>({name}))",
            ArgumentDeclarationForm.Either when isOptional => $"{Arg}.ForTask<{parameter.BareType}>({name}, {fallback})",
            ArgumentDeclarationForm.Either => $"{Arg}.ForTask<{parameter.BareType}>({name})",
            _ => $"{Arg}.After<{parameter.BareType}>({name})",
        };
    }

    private static string Start(RemoteCallerModel caller, string call) => $"this.__owner.{caller.Start}{call}, {caller.After}this.__options)";

    private enum ArgumentDeclarationForm
    {
        Value,
        Either,
        Ref,
        DerivedRef,
    }
}
