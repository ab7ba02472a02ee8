using System.Collections.ObjectModel;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Serve.Replica.Definitions;

namespace Serve.Replica.Batching;

/// <summary>
/// Emits the method that callers of a batched method see: same name, same names and attributes of the parameters, but one item instead of each list, and one result. Code that
/// binds parameters by reflection, such as calls by name and ASP.NET Core, therefore does not need to know about batches. Emitted, since names and attributes of parameters cannot be set otherwise.
/// </summary>
internal static class BatchFacadeFactory
{
    private const string TokenName = "cancellationToken";

    /// <summary>Creates the facade.</summary>
    /// <param name="method">The batched method.</param>
    /// <param name="entry">Delegate with the arguments of a caller and a token.</param>
    /// <returns>The facade object and its method.</returns>
    public static (object Facade, MethodInfo Entry) Create(BatchMethodDefinition method, Delegate entry)
    {
        var owner = method.Method.DeclaringType!;
        // In the load context of the user's assembly, which contains its types, and with which it is unloaded.
        using (AssemblyLoadContext.GetLoadContext(owner.Assembly)?.EnterContextualReflection())
        {
            var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName($"{owner.Name}.{method.Method.Name}.Batched"), AssemblyBuilderAccess.RunAndCollect);
            var module = assembly.DefineDynamicModule("Batched");
            LetIn(assembly, module, [entry.GetType(), owner]);
            var type = module.DefineType($"{owner.Name}_{method.Method.Name}", TypeAttributes.Public | TypeAttributes.Sealed);
            var field = type.DefineField("entry", entry.GetType(), FieldAttributes.Public);
            Define(type, field, method, entry);
            var made = type.CreateType();
            var facade = Activator.CreateInstance(made)!;
            made.GetField(field.Name)!.SetValue(facade, entry);
            return (facade, made.GetMethod(method.Method.Name)!);
        }
    }

    private static void Define(TypeBuilder type, FieldInfo field, BatchMethodDefinition method, Delegate entry)
    {
        var invoke = entry.GetType().GetMethod(nameof(Action.Invoke))!;
        var types = invoke.GetParameters().Select(parameter => parameter.ParameterType).ToArray();
        var builder = type.DefineMethod(method.Method.Name, MethodAttributes.Public | MethodAttributes.HideBySig, invoke.ReturnType, types);
        for (var i = 0; i < method.Lists.Length; i++)
            Describe(builder.DefineParameter(i + 1, ParameterAttributes.None, method.Lists[i].Name), method.Lists[i]);
        builder.DefineParameter(types.Length, ParameterAttributes.None, TokenName);
        var code = builder.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldfld, field);
        for (var i = 1; i <= types.Length; i++)
            code.Emit(OpCodes.Ldarg, (short)i);
        code.Emit(OpCodes.Callvirt, invoke);
        code.Emit(OpCodes.Ret);
    }

    private static void Describe(ParameterBuilder parameter, ParameterInfo list)
    {
        foreach (var attribute in list.GetCustomAttributesData().Where(IsUsers))
            parameter.SetCustomAttribute(Copy(attribute));
        // The nullability of the list's elements becomes that of the item, so that null is rejected as bad input.
        var nullability = new NullabilityInfoContext().Create(list);
        var element = nullability.ElementType ?? nullability.GenericTypeArguments.FirstOrDefault();
        if (element is { Type.IsValueType: false, WriteState: NullabilityState.NotNull })
            parameter.SetCustomAttribute(new CustomAttributeBuilder(typeof(NullableAttribute).GetConstructor([typeof(byte)])!, [(byte)1]));
    }

    private static bool IsUsers(CustomAttributeData attribute) =>
        attribute.AttributeType.IsVisible && attribute.AttributeType.Namespace != typeof(NullableAttribute).Namespace;

    private static CustomAttributeBuilder Copy(CustomAttributeData data)
    {
        var named = data.NamedArguments.ToLookup(argument => argument.IsField);
        return new CustomAttributeBuilder(
            data.Constructor, [.. data.ConstructorArguments.Select(ValueOf)],
            [.. named[false].Select(argument => (PropertyInfo)argument.MemberInfo)], [.. named[false].Select(argument => ValueOf(argument.TypedValue))],
            [.. named[true].Select(argument => (FieldInfo)argument.MemberInfo)], [.. named[true].Select(argument => ValueOf(argument.TypedValue))]);
    }

    private static object? ValueOf(CustomAttributeTypedArgument argument)
    {
        if (argument.Value is not ReadOnlyCollection<CustomAttributeTypedArgument> values)
            return argument.ArgumentType.IsEnum ? Enum.ToObject(argument.ArgumentType, argument.Value!) : argument.Value;
        var array = Array.CreateInstance(argument.ArgumentType.GetElementType()!, values.Count);
        for (var i = 0; i < values.Count; i++)
            array.SetValue(ValueOf(values[i]), i);
        return array;
    }

    /// <summary>Gives the facade access to internal types of the user; the runtime checks for an attribute of this name.</summary>
    private static void LetIn(AssemblyBuilder assembly, ModuleBuilder module, Type[] seen)
    {
        var type = module.DefineType("System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute", TypeAttributes.Public | TypeAttributes.Sealed, typeof(Attribute));
        var constructor = type.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(string)]);
        var code = constructor.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Call, typeof(Attribute).GetConstructor(BindingFlags.NonPublic | BindingFlags.Instance, [])!);
        code.Emit(OpCodes.Ret);
        var made = type.CreateType().GetConstructor([typeof(string)])!;
        foreach (var name in seen.SelectMany(AssembliesOf).Distinct())
            assembly.SetCustomAttribute(new CustomAttributeBuilder(made, [name]));
    }

    private static IEnumerable<string> AssembliesOf(Type type) =>
        type.GetGenericArguments().Concat(type.HasElementType ? [type.GetElementType()!] : []).SelectMany(AssembliesOf).Append(type.Assembly.GetName().Name!);
}
