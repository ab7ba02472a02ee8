using Serve.Generators.Models;

namespace Serve.Generators.Emit;

/// <summary>The generated caller of one method: a struct with <c>Remote</c> and <c>Options</c>, and two call classes.</summary>
/// <param name="Kind">The kind of the called member.</param>
/// <param name="Struct">The struct's name; the calls' names begin with it.</param>
/// <param name="Method">The method.</param>
/// <param name="Title">Its summary in documentation comments.</param>
/// <param name="Wire">The method name that a call carries.</param>
/// <param name="IsPublic">Whether the struct can be public.</param>
/// <param name="Target">The type of the instance that the method is called on; null for none.</param>
/// <param name="Invoked">The invoked expression, without the argument list.</param>
/// <param name="Result">The call's result type; for a stream, its item type.</param>
/// <param name="Returned">The return type of <c>Remote</c>.</param>
/// <param name="Owner">The type of the cluster or handle that submits the call.</param>
/// <param name="Options">The type of its options.</param>
/// <param name="Start">The owner's member that submits the call, with the arguments that precede the call.</param>
/// <param name="After">The arguments between the call and the options.</param>
/// <param name="Field">A static field of the struct; null for none.</param>
internal sealed record RemoteCallerModel(
    RemoteCallerKind Kind, string Struct, CallableMethodModel Method, string Title, string Wire, bool IsPublic, string? Target, string Invoked,
    string Result, string Returned, string Owner, string Options, string Start, string After, string? Field)
{
    private const string Serve = "global::Serve";
    private const string Stream = "global::System.Collections.Generic.IAsyncEnumerable";

    /// <summary>Whether the member is a static method with [Remote], rather than an actor's constructor or method.</summary>
    public bool IsFunction => Kind == RemoteCallerKind.Function;

    public string CallResult => Method.IsStream ? $"{Stream}<{Result}>" : Result;

    public string ValueCall => $"{Struct}_Call";

    public string RefCall => $"{Struct}_RefCall";

    public static RemoteCallerModel Of(RemoteClassModel owner, RemoteFunctionModel function)
    {
        var (method, result) = (function.Method, HandleMethodExpressions.ResultOf(function.Method));
        var name = $"{method.Name}_Function";
        return new RemoteCallerModel(
            RemoteCallerKind.Function, name, method, $"The remote function <c>{method.Name}</c>.", method.Name, owner.IsPublic && function.IsPublic, null,
            $"{owner.Type}.{DeploymentHandleWriter.Identifier(method.Name)}", result,
            $"{Serve}.{(method.IsStream ? "ObjectRefStream" : "ObjectRef")}<{result}>", $"{Serve}.Cluster", $"{Serve}.TaskOptions",
            $"{(method.IsStream ? "SubmitStream" : "Submit")}({name}.__function, ", "",
            $"private static readonly {Serve}.RemoteFunction __function = new(typeof({owner.Type}), \"{method.Name}\", {(method.IsAsync ? "true" : "false")}, {function.Defaults}{(method.TakesToken ? "" : ", takesToken: false")});");
    }

    public static RemoteCallerModel Of(RemoteClassModel owner, RemoteActorModel actor) => new(
        RemoteCallerKind.Constructor, "New_Actor", actor.Constructor, $"Creates actors of the class <c>{owner.Name}</c>.", ".ctor", owner.IsPublic, null, $"new {owner.Type}", owner.Type,
        $"{Serve}.ActorHandle<{owner.Type}>", $"{Serve}.Cluster", $"{Serve}.ActorOptions", "CreateActor(", "New_Actor.__defaults, ",
        $"private static readonly {Serve}.RemoteAttribute __defaults = {actor.Defaults};");

    public static RemoteCallerModel Of(RemoteClassModel owner, CallableMethodModel method)
    {
        var result = HandleMethodExpressions.ResultOf(method);
        return new RemoteCallerModel(
            RemoteCallerKind.Method, $"{method.Name}_Method", method, $"The method <c>{method.Name}</c>.", method.Name, owner.IsPublic, owner.Type,
            $"actor.{DeploymentHandleWriter.Identifier(method.Name)}", result,
            $"{Serve}.{(method.IsStream ? "ObjectRefStream" : "ObjectRef")}<{result}>", $"{Serve}.ActorHandle<{owner.Type}>", $"{Serve}.ActorCallOptions",
            $"{(method.IsStream ? "SubmitStream" : "Submit")}(", "", null);
    }
}

/// <summary>The kind of member that a generated caller calls.</summary>
internal enum RemoteCallerKind
{
    Function,
    Constructor,
    Method,
}
