namespace Serve;

/// <summary>A ref to one item of a tuple.</summary>
internal interface ITupleItemRef
{
    /// <summary>The tuple, whose task is the one to cancel; null once the item is there.</summary>
    ObjectRef? Source { get; }
}
